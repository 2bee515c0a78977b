/**
 * Which tool brings the rules in: nft where the kernel has its `queue` expression, else iptables where it has NFQUEUE;
 * where no rule queues packets, the first that works. Finding out leaves modules loaded and a raw table, with nothing in it.
 */
import { ExitCode, SluiceError } from '../../model/errors.ts';
import { CommandError, type Run } from './command.ts';
import { type RuleTool, type RuleToolName, ruleTool } from './rule-tool.ts';

/** `--check`: the kernel builds the transaction and then gives it up. */
const nftProbe = (lines: string) => `table inet sluice-probe {
  chain probe {
    type filter hook prerouting priority raw; policy accept;
    ${lines}
  }
}
`;

/**
 * A transaction that comes to nothing. `--test` would not do: the nf_tables kind of iptables then does not even ask
 * whether the kernel has tables.
 */
const iptablesProbe = (lines: string) => `*raw
:sluice-probe - [0:0]
${lines}-F sluice-probe
-X sluice-probe
COMMIT
`;

const queueByNft = 'queue num 0';
/** What spreads packets over several workers, and has datagrams put together before. */
const spreadByNft = `jhash ip saddr . th sport mod 2 seed 0x1 vmap { 0 : return, 1 : return }
    ip saddr 255.255.255.255 meta l4proto tcp tproxy ip to :1
`;
const spreadByIptables = `-A sluice-probe -j HMARK --hmark-tuple src,sport --hmark-mod 2 --hmark-offset 0x1 --hmark-rnd 0x1
-A sluice-probe -m mark --mark 0x1 -j RETURN
-A sluice-probe -p tcp -m socket --nowildcard -j RETURN
`;
const queueByIptables = `-A sluice-probe -j CT --notrack
-A sluice-probe -p udp -m u32 --u32 "0=0" -j NFQUEUE --queue-num 0
`;

const programs: readonly (readonly [RuleToolName, string])[] = [
  ['nft', 'nft'],
  ['iptables', 'iptables-restore'],
  ['iptables-legacy', 'iptables-legacy-restore'],
];

/**
 * The first tool that works here; `several` workers ask more of it than one. Rejects with ERR_SLUICE_NO_RULE_TOOL and
 * what to install, exit code 4.
 */
export async function chooseRuleTool(run: Run, { queues = true, several = false } = {}): Promise<RuleTool> {
  const byNft = `${several ? spreadByNft : ''}${queues ? queueByNft : ''}`;
  const byIptables = `${several ? spreadByIptables : ''}${queues ? queueByIptables : ''}`;
  const complaints: string[] = [];
  let present = 0;
  for (const [name, program] of programs) {
    try {
      if (name === 'nft') await run(program, ['--check', '-f', '-'], nftProbe(byNft));
      else await run(program, ['-w', '5', '--noflush'], iptablesProbe(byIptables));
      return ruleTool(name, run);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      if (!error.missing) present += 1;
      if (!error.missing || name !== 'iptables-legacy') complaints.push(error.message);
    }
  }
  throw new SluiceError('ERR_SLUICE_NO_RULE_TOOL', `no tool can bring rules in: ${complaints.join('; ')}`, {
    exitCode: ExitCode.missing,
    remedy:
      present === 0
        ? 'install one: apt-get install nftables, or dnf install nftables'
        : 'install the other (apt-get install nftables iptables, or dnf install nftables iptables-nft), or use a kernel with nfnetlink_queue and nft_queue or xt_NFQUEUE',
  });
}
