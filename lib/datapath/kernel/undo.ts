/**
 * Putting the machine back: changes undone from what a journal says, latest first. Every step may be taken twice;
 * what someone else has changed meanwhile, or what another instance relies on, stays.
 */
import type { Log } from '../../model/log.ts';
import type { Run } from './command.ts';
import {
  type Change,
  changeKey,
  type JournalFile,
  journalPath,
  readJournals,
  standingOf,
  writeJournal,
} from './journal.ts';
import { undoChange } from './recorded-changes.ts';

export interface Surroundings {
  /** Where the journals of all instances are. */
  readonly directory: string;
  readonly run: Run;
  readonly log: Log;
}

/** Undoes the changes of the journal at `path`; answers with those that stay, because of others or of an error. */
export async function undoChanges(
  path: string,
  changes: readonly Change[],
  { directory, run, log }: Surroundings,
): Promise<readonly Change[]> {
  const stay: Change[] = [];
  const needed = new Set(
    [...readJournals(directory)]
      .filter(([other, journal]) => other !== path && ['live', 'unseen'].includes(standingOf(journal)))
      .flatMap(([, { reliesOn }]) => reliesOn),
  );
  for (const change of changes.toReversed()) {
    try {
      if (needed.has(changeKey(change))) stay.unshift(change);
      else await undoChange(change, run);
    } catch (error) {
      stay.unshift(change);
      log.warn('A change of the machine could not be undone', {
        change: changeKey(change),
        error: error instanceof Error ? error.message : String(error),
      });
    }
  }
  return stay;
}

/**
 * Undoes what instances left that ended without doing so, in this network namespace. With `successorOf`, a holder
 * of that name whose process cannot be seen (a container that was started again) counts as ended too. Its rules stay
 * if the successor `replacesRules`: until then they keep packets from the kernel's own stack, which would reset flows
 * that are to go on. Answers with the names of what was put back, for `doctor --clean` to print.
 */
export async function cleanLeftovers(
  surroundings: Surroundings,
  successorOf?: string,
  replacesRules = false,
): Promise<readonly string[]> {
  const { directory, log } = surroundings;
  const successor = successorOf === undefined ? undefined : journalPath(directory, successorOf);
  const undone: string[] = [];
  for (const [path, journal] of readJournals(directory)) {
    const standing = standingOf(journal);
    if (standing === 'void') writeJournal(path, { ...journal, reliesOn: [], changes: [] });
    if (standing === 'dead' || (standing === 'unseen' && path === successor)) {
      const areKept = replacesRules && path === successor;
      const kept = journal.changes.filter(({ kind }) => areKept && kind === 'rules');
      const others = journal.changes.filter((change) => !kept.includes(change));
      const changes = [...kept, ...(await undoChanges(path, others, surroundings))];
      writeJournal(path, { ...journal, reliesOn: [], changes });
      undone.push(...difference(journal, changes));
    }
  }
  if (undone.length > 0) log.info('Undid what an instance that crashed had left', { changes: undone.length });
  return undone;
}

function difference(journal: JournalFile, stay: readonly Change[]): string[] {
  return journal.changes.filter((change) => !stay.includes(change)).map(changeKey);
}
