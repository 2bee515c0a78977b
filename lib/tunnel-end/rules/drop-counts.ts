/** What the rules have dropped so far, by their own counters: the kernel counts whoever reads it. */
import type { Run } from '../../datapath/kernel/command.ts';
import { rulePrefix } from '../../datapath/kernel/rule-names.ts';
import type { RuleToolName } from '../../datapath/kernel/rule-tool.ts';

export interface DropCounts {
  /** Tunnel packets from where none may come from. */
  readonly strangers: number;
  /** What came out of the kernel's tunnels for no VIP. */
  readonly notForVip: number;
}

/** Rejects with `CommandError`. */
export async function readDropCounts(tool: RuleToolName, holder: string, run: Run): Promise<DropCounts> {
  const prefix = rulePrefix(holder);
  if (tool === 'nft') return countsOfNft(await run('nft', ['list', 'table', 'inet', prefix]));
  const programs = [`${tool}-save`, `${tool.replace('ip', 'ip6')}-save`];
  // A machine without IPv6 cannot list what it has not.
  const saved = await Promise.all(programs.map((program) => run(program, ['-c']).catch(() => '')));
  return countsOfIptables(prefix, saved.join('\n'));
}

/** From the table as nft lists it. A stranger is told by the mark, or by where its packet is for. */
export function countsOfNft(listing: string): DropCounts {
  let strangers = 0;
  let notForVip = 0;
  for (const [, match = '', packets] of listing.matchAll(/^(.*)counter packets (\d+) bytes \d+ drop$/gm)) {
    if (match.trim() === '') notForVip += Number(packets);
    else strangers += Number(packets);
  }
  return { strangers, notForVip };
}

/** From all tables as iptables-save and ip6tables-save show them with counters. */
export function countsOfIptables(prefix: string, saved: string): DropCounts {
  let strangers = 0;
  let notForVip = 0;
  for (const [, packets, chain, match] of saved.matchAll(/^\[(\d+):\d+\] -A (\S+) (.*)-j DROP$/gm)) {
    if (chain !== prefix && !chain!.startsWith(`${prefix}/`)) continue;
    if (match === '') notForVip += Number(packets);
    else strangers += Number(packets);
  }
  return { strangers, notForVip };
}
