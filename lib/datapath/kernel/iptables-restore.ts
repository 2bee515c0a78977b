/**
 * Scripts for `iptables-restore --noflush`: from what `iptables-save` says is there to what shall be there, in one
 * transaction per table. Nothing is touched but our chains and the jumps to them; what someone else has flushed
 * meanwhile is put back, and what is there already is not put there twice.
 */
import { isRuleName } from './rule-names.ts';

/** What sluice has in one table of iptables; `jumps` and `rules` are lines as `iptables-save` writes them. */
export interface TableRules {
  readonly table: 'raw' | 'mangle';
  /** Jumps from built-in chains to ours, which are everyone's and are left alone but for these lines. */
  readonly jumps: readonly string[];
  /** Our chains, which hold nothing but `rules`. */
  readonly chains: readonly string[];
  readonly rules: readonly string[];
}

/** The script that brings `wanted` about in one table, or takes everything of ours away; empty if nothing is there. */
export function restoreScript(
  prefix: string,
  table: TableRules['table'],
  saved: string,
  wanted: TableRules | undefined,
): string {
  const lines = saved.split('\n');
  const missingJumps = new Set(wanted?.jumps);
  const surplusJumps = lines.filter((line) => isOurJump(prefix, line) && !missingJumps.delete(line));
  const surplusChains = lines
    .map((line) => /^:(\S+)/.exec(line)?.[1] ?? '')
    .filter((chain) => isRuleName(prefix, chain) && !wanted?.chains.includes(chain));
  if (wanted === undefined && surplusJumps.length + surplusChains.length === 0) return '';
  return [
    `*${table}`,
    // To name a chain makes it, or empties it.
    ...[...(wanted?.chains ?? []), ...surplusChains].map((chain) => `:${chain} - [0:0]`),
    ...surplusJumps.map((jump) => jump.replace('-A', '-D')),
    ...(wanted?.rules ?? []),
    ...missingJumps,
    ...surplusChains.map((chain) => `-X ${chain}`),
    'COMMIT\n',
  ].join('\n');
}

/** Whether a saved line is a jump to one of our chains from a chain that is not ours. */
function isOurJump(prefix: string, line: string): boolean {
  const [, chain, target] = /^-A (\S+) (?:.* )?-[jg] (\S+)$/.exec(line) ?? [];
  return chain !== undefined && !isRuleName(prefix, chain) && isRuleName(prefix, target!);
}
