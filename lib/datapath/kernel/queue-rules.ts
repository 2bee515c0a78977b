/** The rules that bring packets to the queues, in the language of every tool. */
import type { RulesDescription } from './description.ts';
import { iptablesRules } from './iptables-rules.ts';
import { nftRules } from './nft-rules.ts';
import type { RuleScript } from './rule-tool.ts';

export function queueRules(holder: string, description: RulesDescription): RuleScript {
  return {
    nft: nftRules(holder, description),
    iptables: { 4: iptablesRules(holder, description, 4), 6: iptablesRules(holder, description, 6) },
  };
}
