/**
 * A grip on the machine: whatever is changed through it is written down first and goes back when it is let go, or by
 * whoever comes after a crash. What a crash has left is put back before a grip is taken, and no two of one name are.
 */
import { ExitCode, SluiceError } from '../../model/errors.ts';
import { type Log, silentLog } from '../../model/log.ts';
import { CommandError, commandRunner, type Run } from './command.ts';
import { Journal, journalPath, readJournals, standingOf } from './journal.ts';
import { requirePrivileges } from './privileges.ts';
import { RecordedChanges } from './recorded-changes.ts';
import { cleanLeftovers, type Surroundings, undoChanges } from './undo.ts';

export interface HoldOptions {
  /** An instance, or one of its packet paths: see rule-names.ts. */
  readonly holder: string;
  /** Where journals lie, of all instances of the machine: the directory of the control sockets. */
  readonly directory: string;
  readonly log?: Log;
  readonly run?: Run;
  /** Whether `take` brings in rules in any case: see `cleanLeftovers`. */
  readonly replacesRules?: boolean;
}

/** What changes are made through. */
export interface Grip {
  readonly journal: Journal;
  readonly changes: RecordedChanges;
}

export class Hold {
  readonly holder: string;
  readonly surroundings: Surroundings;
  readonly #replacesRules: boolean;
  #grip: Grip | undefined;

  constructor({
    holder,
    directory,
    log = silentLog,
    run = commandRunner(directory),
    replacesRules = false,
  }: HoldOptions) {
    this.holder = holder;
    this.surroundings = { directory, log, run };
    this.#replacesRules = replacesRules;
  }

  /** Puts back what a crash has left: see `cleanLeftovers`. Needs the privileges that `take` needs. */
  async clean(): Promise<void> {
    await cleanLeftovers(this.surroundings, this.holder, this.#replacesRules);
  }

  /**
   * Takes the grip and does `work`, or leaves everything as it was. Rejects with a SluiceError: exit code 4 if something
   * is missing.
   */
  async take(work: (grip: Grip) => Promise<void>): Promise<void> {
    const { directory, run } = this.surroundings;
    requirePrivileges({ queues: false });
    await this.clean();
    this.#refuseTwin();
    try {
      const journal = new Journal(directory, this.holder);
      this.#grip = { journal, changes: new RecordedChanges(journal, run) };
      await work(this.#grip);
    } catch (error) {
      await this.release();
      throw explained(error);
    }
  }

  /** Changes more; what was done stays if that fails. */
  async change(work: (grip: Grip) => Promise<void>): Promise<void> {
    try {
      await work(this.#grip!);
    } catch (error) {
      throw explained(error);
    }
  }

  /** Puts everything back, but for what another instance relies on: the last of them does that. Idempotent. */
  async release(): Promise<void> {
    const journal = this.#grip?.journal;
    if (journal === undefined) return;
    this.#grip = undefined;
    journal.relyOn([]);
    const stay = await undoChanges(journal.path, journal.changes, this.surroundings);
    for (const change of journal.changes) if (!stay.includes(change)) journal.forget(change);
    journal.disown();
    await cleanLeftovers(this.surroundings);
  }

  #refuseTwin(): void {
    const { directory } = this.surroundings;
    const twin = readJournals(directory).get(journalPath(directory, this.holder));
    if (twin === undefined || standingOf(twin) !== 'live') return;
    throw new SluiceError(
      'ERR_SLUICE_NAME_TAKEN',
      `an instance called ${this.holder.split('/')[0]} is running, process ${twin.owner.pid}`,
      { remedy: 'stop it, or start this one with another --name' },
    );
  }
}

/** An error of a tool or of the file system as one for a person; others as they are. */
function explained(error: unknown): unknown {
  if (error instanceof CommandError) {
    return new SluiceError('ERR_SLUICE_KERNEL_SETUP', error.message, {
      exitCode: error.missing ? ExitCode.missing : ExitCode.failed,
      ...(error.missing ? { remedy: 'install it: apt-get install iproute2 nftables iptables' } : {}),
      cause: error,
    });
  }
  if (error instanceof Error && 'syscall' in error) {
    return new SluiceError(
      'ERR_SLUICE_KERNEL_SETUP',
      `what is changed cannot be written down: ${error.message}`,
      {
        exitCode: ExitCode.missing,
        remedy: 'make the directory writable, as by RuntimeDirectory=sluice in its systemd unit',
        cause: error,
      },
    );
  }
  return error;
}
