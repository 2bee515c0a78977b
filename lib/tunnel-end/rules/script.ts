/** Who may use the tunnels, in the language of every rule tool. */
import type { RuleScript } from '../../datapath/kernel/rule-tool.ts';
import type { TunnelRules } from '../plan.ts';
import { iptablesTunnelRules } from './iptables.ts';
import { nftTunnelRules } from './nft.ts';

export function tunnelRules(holder: string, rules: TunnelRules): RuleScript {
  return {
    nft: nftTunnelRules(holder, rules),
    iptables: { 4: iptablesTunnelRules(holder, rules, 4), 6: iptablesTunnelRules(holder, rules, 6) },
  };
}
