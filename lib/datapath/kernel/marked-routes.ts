/**
 * Ways for packets by their mark: a rule leads each mark to a routing table of its own, whose number is the mark's.
 *
 *   0: fwmark MARK ──▶ table MARK: everything via NEXT-HOP      0: local      …      main
 *
 * Rules of one number are asked in the order in which they came, so that `local` comes first, and delivers what is for
 * an address of this machine. Where that is a VIP, `local` moves behind, to 1.
 */
import type { Run } from './command.ts';
import { familyOf, type MarkedRoute } from './description.ts';
import type { IpChange } from './journal.ts';
import type { RecordedChanges } from './recorded-changes.ts';

/** The changes that make a way: first where it leads to, then who takes it. */
export function markedRouteChanges({ family, mark, nextHop, interface: device }: MarkedRoute): IpChange[] {
  const everything = family === 4 ? '0.0.0.0/0' : '::/0';
  const via = familyOf(nextHop) === family ? [nextHop] : ['inet6', nextHop];
  const table = String(mark);
  return [
    { kind: 'ip', object: 'route', spec: [everything, 'via', ...via, 'dev', device, 'table', table] },
    {
      kind: 'ip',
      object: 'rule',
      family,
      spec: ['pref', '0', 'fwmark', `0x${mark.toString(16)}`, 'lookup', table],
    },
  ];
}

/** What `moveLocal` does in one family. */
export function localMoves(family: 4 | 6): readonly [behind: IpChange, away: IpChange] {
  const at = (pref: string): IpChange => ({
    kind: 'ip',
    object: 'rule',
    family,
    spec: ['pref', pref, 'lookup', 'local', 'protocol', 'kernel'],
  });
  return [at('1'), { ...at('0'), removed: true }];
}

/** Has marks asked before `local`, unless that is so already. */
export async function moveLocal(family: 4 | 6, changes: RecordedChanges, run: Run): Promise<void> {
  const rules = await run('ip', [`-${family}`, 'rule', 'show', 'pref', '0']);
  if (!/lookup local/.test(rules)) return;
  for (const change of localMoves(family)) await changes.add(change);
}
