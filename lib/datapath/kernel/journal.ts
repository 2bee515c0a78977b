/**
 * What was changed on the machine, written down before it is done: HOLDER.NAMESPACE.undo.json in the runtime directory.
 * Whoever comes after a crash can undo it, latest first, from this file alone. It also says what the instance relies
 * on, so that another which had put that there leaves it.
 *
 * A journal speaks of one boot and one network namespace; its owner is the process of that id and start time.
 */
import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TunnelEndSpec } from '../../model/tunnel-end.ts';
import { namespaceExists } from './namespaces.ts';
import type { RuleToolName } from './rule-tool.ts';

/** Something that was added by `ip OBJECT add SPEC OPTIONS` and goes by `ip OBJECT delete SPEC`, or the reverse. */
export interface IpChange {
  readonly kind: 'ip';
  readonly object: 'address' | 'link' | 'route' | 'rule';
  /** Where the object does not tell by itself. */
  readonly family?: 4 | 6;
  readonly spec: readonly string[];
  readonly options?: readonly string[];
  /** It was there, and was deleted. */
  readonly removed?: true;
}

export type Change =
  | IpChange
  | { readonly kind: 'sysctl'; readonly path: string; readonly before: string; readonly after: string }
  | { readonly kind: 'rules'; readonly holder: string; readonly tool: RuleToolName };

interface Owner {
  readonly pid: number;
  /** Clock ticks from boot to its start. */
  readonly startTicks: string;
}

export interface JournalFile {
  readonly version: 1;
  readonly bootId: string;
  /** What /proc/self/ns says: `net:[4026531840]`. */
  readonly networkNamespace: string;
  /** Process ids mean something in their own namespace only. */
  readonly pidNamespace: string;
  readonly owner: Owner;
  /** `changeKey` of everything that has to stay for the instance to work, whoever has put it there. */
  readonly reliesOn: readonly string[];
  /** In the order in which they were made. */
  readonly changes: readonly Change[];
  /** What the holder was asked for, if it is the end of tunnels: for whoever tries them. */
  readonly tunnelEnd?: TunnelEndSpec;
}

const extension = '.undo.json';

/** The flag that tells ip(8) the family, if it has to be told. */
export function familyFlag({ family }: IpChange): '-4' | '-6' | undefined {
  return family === undefined ? undefined : family === 4 ? '-4' : '-6';
}

/** What a change is about: two changes with the same key are over the same thing. */
export function changeKey(change: Change): string {
  switch (change.kind) {
    case 'sysctl':
      return change.path;
    case 'ip':
      return [familyFlag(change), change.object, ...change.spec].filter(Boolean).join(' ');
    case 'rules':
      return `rules ${change.holder}`;
  }
}

/**
 * Of a holder (an instance, or one of its packet paths: see rule-names.ts) in this network namespace: /run is often
 * common to several.
 */
export function journalPath(directory: string, holder: string): string {
  const [id] = /\d+/.exec(here().networkNamespace)!;
  return join(directory, `${holder.replace('/', '@')}.${id}${extension}`);
}

/** The journals of a directory, by path; files that are not one, or not this user's own, are left out. */
export function readJournals(directory: string): ReadonlyMap<string, JournalFile> {
  const journals = new Map<string, JournalFile>();
  for (const file of listFiles(directory).filter((name) => name.endsWith(extension))) {
    const journal = readJournal(join(directory, file));
    if (journal !== undefined) journals.set(join(directory, file), journal);
  }
  return journals;
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

/** Some directories are everyone's to write to: a file of someone else's must not tell us what to undo. */
function readJournal(path: string): JournalFile | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return undefined;
  }
  try {
    if (fstatSync(file).uid !== process.geteuid!()) return undefined;
    const journal = JSON.parse(readFileSync(file, 'utf8')) as JournalFile;
    return journal.version === 1 ? journal : undefined;
  } catch {
    return undefined;
  } finally {
    closeSync(file);
  }
}

/** Replaces a journal in one step; one that says nothing any more is removed. */
export function writeJournal(path: string, journal: JournalFile): void {
  if (journal.changes.length === 0 && journal.reliesOn.length === 0) {
    rmSync(path, { force: true });
    return;
  }
  rmSync(`${path}.new`, { force: true });
  writeFileSync(`${path}.new`, `${JSON.stringify(journal, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(`${path}.new`, path);
}

/** What a journal is to this process: its instance lives, or is no more, or that cannot be seen from here. */
export type Standing = 'live' | 'dead' | 'unseen' | 'elsewhere' | 'void';

/** Whose journal this is, as far as it can be told from here. */
export function standingOf(journal: JournalFile): Standing {
  const { bootId, networkNamespace, pidNamespace } = here();
  // Nothing of what it says has outlived the boot, or its network.
  if (journal.bootId !== bootId) return 'void';
  if (journal.networkNamespace !== networkNamespace)
    return isGone(journal, pidNamespace) ? 'void' : 'elsewhere';
  if (journal.pidNamespace !== pidNamespace) return 'unseen';
  return startTicks(journal.owner.pid) === journal.owner.startTicks ? 'live' : 'dead';
}

/** Whether its network namespace exists no more. What lives beyond another process namespace cannot be seen from here. */
function isGone({ networkNamespace, pidNamespace }: JournalFile, ourPidNamespace: string): boolean {
  return pidNamespace === ourPidNamespace && !namespaceExists(networkNamespace);
}

/** The journal of this process, for one holder; every call is on disk when it returns. */
export class Journal {
  readonly path: string;
  #file: JournalFile;

  /** Takes over what a former journal of the holder still says. */
  constructor(directory: string, holder: string) {
    mkdirSync(directory, { recursive: true });
    this.path = journalPath(directory, holder);
    this.#file = {
      version: 1,
      ...here(),
      owner: { pid: process.pid, startTicks: startTicks(process.pid)! },
      reliesOn: [],
      changes: readJournal(this.path)?.changes ?? [],
    };
  }

  get changes(): readonly Change[] {
    return this.#file.changes;
  }

  /** Has to come before the change itself. What is written down already keeps its place. */
  record(change: Change): void {
    if (this.#file.changes.some((known) => changeKey(known) === changeKey(change))) return;
    this.#write({ changes: [...this.#file.changes, change] });
  }

  /** Has to come after the change was undone. */
  forget(change: Change): void {
    this.#write({ changes: this.#file.changes.filter((known) => changeKey(known) !== changeKey(change)) });
  }

  relyOn(keys: readonly string[]): void {
    this.#write({ reliesOn: keys });
  }

  describe(tunnelEnd: TunnelEndSpec): void {
    this.#write({ tunnelEnd });
  }

  /** What could not be undone is left to whoever comes next, even while this process goes on. */
  disown(): void {
    this.#write({ owner: { ...this.#file.owner, pid: 0 } });
  }

  #write(part: Partial<JournalFile>): void {
    this.#file = { ...this.#file, ...part };
    writeJournal(this.path, this.#file);
  }
}

function here(): Pick<JournalFile, 'bootId' | 'networkNamespace' | 'pidNamespace'> {
  return {
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    networkNamespace: readlinkSync('/proc/self/ns/net'),
    pidNamespace: readlinkSync('/proc/self/ns/pid'),
  };
}

/** Field 22 of /proc/PID/stat; the second, in parentheses, may itself hold spaces and parentheses. */
function startTicks(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3];
  } catch {
    return undefined;
  }
}
