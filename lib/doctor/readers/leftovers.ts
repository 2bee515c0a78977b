/** What instances have written down of their changes of this machine, and whose owners have gone. */
import { changeKey, readJournals, standingOf } from '../../datapath/kernel/journal.ts';
import { rulePrefix } from '../../datapath/kernel/rule-names.ts';

export interface LeftoverFacts {
  /** Changes that nobody will put back but the next start or `--clean`. */
  readonly changes: readonly string[];
  /** Files about a boot or a network that is no more. */
  readonly void: number;
  /** Names of tables and chains that an instance answers for, be it running or not. */
  readonly answeredFor: ReadonlySet<string>;
}

export function readLeftovers(directory: string): LeftoverFacts {
  const journals = [...readJournals(directory)].map(([, journal]) => ({
    journal,
    standing: standingOf(journal),
  }));
  const changesOf = (wanted: (standing: string) => boolean) =>
    journals.filter(({ standing }) => wanted(standing)).flatMap(({ journal }) => journal.changes);
  const present = changesOf((standing) => standing !== 'void' && standing !== 'elsewhere');
  return {
    changes: changesOf((standing) => standing === 'dead').map(changeKey),
    void: journals.filter(({ standing }) => standing === 'void').length,
    answeredFor: new Set(
      present.flatMap((change) => (change.kind === 'rules' ? [rulePrefix(change.holder)] : [])),
    ),
  };
}
