/**
 * The machine made ready for a packet path, kept so while its services change, and put back: rules, settings, added
 * addresses. Rules come before addresses, so that no packet for a new VIP meets the kernel's own stack; the queues
 * have to be open before either.
 */
import { ExitCode, SluiceError } from '../../model/errors.ts';
import { type Log, silentLog } from '../../model/log.ts';
import { addAddress, addressChange, isLocal } from './addresses.ts';
import { chooseRuleTool } from './choose-tool.ts';
import { CommandError, commandRunner, type Run } from './command.ts';
import { familyOf, type KernelDescription } from './description.ts';
import { changeKey, Journal, journalPath, readJournals, standingOf } from './journal.ts';
import { requirePrivileges } from './privileges.ts';
import { RecordedChanges } from './recorded-changes.ts';
import type { RuleTool } from './rule-tool.ts';
import { settingsFor } from './sysctls.ts';
import { cleanLeftovers, type Surroundings, undoChanges } from './undo.ts';

export interface KernelSetupOptions {
  /** An instance, or one of its packet paths: see rule-names.ts. */
  readonly holder: string;
  /** Where journals lie, of all instances of the machine: the directory of the control sockets. */
  readonly directory: string;
  readonly log?: Log;
  readonly run?: Run;
}

/** One holder's grip on the machine. One call at a time: each has to settle before the next is made. */
export class KernelSetup {
  readonly #holder: string;
  readonly #surroundings: Surroundings;
  #journal: Journal | undefined;
  #tool: RuleTool | undefined;

  constructor({ holder, directory, log = silentLog, run = commandRunner(directory) }: KernelSetupOptions) {
    this.#holder = holder;
    this.#surroundings = { directory, log, run };
  }

  /**
   * Undoes what a crash has left, then brings the description about, or leaves everything as it was. Rejects with a
   * SluiceError: exit code 4 if something is missing.
   */
  async apply(description: KernelDescription): Promise<void> {
    requirePrivileges();
    await cleanLeftovers(this.#surroundings, this.#holder);
    this.#refuseTwin();
    try {
      this.#tool = await chooseRuleTool(this.#surroundings.run);
      this.#journal = new Journal(this.#surroundings.directory, this.#holder);
      await this.#bringAbout(description, this.#tool, this.#journal);
    } catch (error) {
      await this.undo();
      throw explained(error);
    }
  }

  /** Brings another description about. Packets that both select come to a queue at every moment. */
  async change(description: KernelDescription): Promise<void> {
    try {
      await this.#bringAbout(description, this.#tool!, this.#journal!);
    } catch (error) {
      throw explained(error);
    }
  }

  /** Puts everything back, but for what another instance relies on: the last of them does that. Idempotent. */
  async undo(): Promise<void> {
    const journal = this.#journal;
    if (journal === undefined) return;
    this.#journal = undefined;
    journal.relyOn([]);
    const stay = await undoChanges(journal.path, journal.changes, this.#surroundings);
    for (const change of journal.changes) if (!stay.includes(change)) journal.forget(change);
    journal.disown();
    await cleanLeftovers(this.#surroundings);
  }

  #refuseTwin(): void {
    const { directory } = this.#surroundings;
    const twin = readJournals(directory).get(journalPath(directory, this.#holder));
    if (twin === undefined || standingOf(twin) !== 'live') return;
    throw new SluiceError(
      'ERR_SLUICE_NAME_TAKEN',
      `an instance called ${this.#holder.split('/')[0]} is running, process ${twin.owner.pid}`,
      { remedy: 'stop it, or start this one with another --name' },
    );
  }

  async #bringAbout(description: KernelDescription, tool: RuleTool, journal: Journal): Promise<void> {
    const { run, log } = this.#surroundings;
    const settings = await neededSettings(description);
    const added = description.addedAddresses.map((address) => changeKey(addressChange(address)));
    journal.relyOn([...settings.map(({ path }) => path), ...added]);
    const changes = new RecordedChanges(journal, run);
    for (const { path, current, wanted } of settings) if (current !== wanted) changes.set(path, wanted);
    journal.record({ kind: 'rules', holder: this.#holder, tool: tool.name });
    await tool.apply(this.#holder, description.rules);
    for (const change of journal.changes) {
      if (change.kind === 'ip' && !added.includes(changeKey(change))) await changes.takeBack(change);
    }
    for (const address of description.addedAddresses) await addAddress(address, changes, run, log);
  }
}

async function neededSettings({
  sources,
  interfaces,
  addedAddresses,
}: KernelDescription): Promise<ReturnType<typeof settingsFor>> {
  const families = new Set(sources.map(familyOf));
  const candidates = [...new Set(sources)].filter((address) => familyOf(address) === 4);
  const added = new Set(addedAddresses.map(({ address }) => address));
  const localSource = (
    await Promise.all(candidates.map(async (address) => added.has(address) || (await isLocal(address))))
  ).includes(true);
  return settingsFor({ interfaces, families, localSource });
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
