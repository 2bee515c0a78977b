/** Instances of `sluice backend` that run here, each tried with a packet through its tunnels. */
import { type JournalFile, readJournals, standingOf } from '../../datapath/kernel/journal.ts';
import { type DropCounts, readDropCounts } from '../../tunnel-end/rules/drop-counts.ts';
import type { Trial } from '../../tunnel-end/trial.ts';
import type { Machine } from '../machine.ts';

export interface TunnelEndFacts {
  /** Of the instance. */
  readonly name: string;
  readonly trials: readonly Trial[];
  /** What its rules have dropped so far; undefined where they could not be read. */
  readonly dropped: DropCounts | undefined;
}

/** Sends the packets, one after the other; each waits for a second at most. */
export async function readTunnelEnds(
  directory: string,
  { run }: Machine,
): Promise<readonly TunnelEndFacts[]> {
  const { tryTunnels } = await import('../../tunnel-end/trial.ts');
  const ends: TunnelEndFacts[] = [];
  for (const journal of readJournals(directory).values()) {
    const { tunnelEnd } = journal;
    if (tunnelEnd === undefined || standingOf(journal) !== 'live') continue;
    const dropped = await droppedOf(journal, tunnelEnd.name, run);
    ends.push({ name: tunnelEnd.name, trials: await tryTunnels(tunnelEnd), dropped });
  }
  return ends;
}

async function droppedOf(
  { changes }: JournalFile,
  holder: string,
  run: Machine['run'],
): Promise<DropCounts | undefined> {
  const rules = changes.find((change) => change.kind === 'rules');
  if (rules === undefined) return undefined;
  return readDropCounts(rules.tool, holder, run).catch(() => undefined);
}
