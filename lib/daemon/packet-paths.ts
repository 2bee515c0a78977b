/** The packet paths of an instance, one for each mode that has one. */
import type { NatSettings, NatVip } from '../datapath/nat/settings.ts';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import type { Log } from '../model/log.ts';
import type { InstanceSpec } from '../model/spec.ts';
import type { PathView } from '../model/view.ts';
import type { OpenDatapaths } from './datapath.ts';
import { PacketPath } from './packet-path.ts';
import { natSettingsOf } from './path-settings.ts';

export class PacketPaths {
  readonly nat: PacketPath<NatSettings, NatVip>;

  constructor(spec: InstanceSpec, open: OpenDatapaths, log: Log) {
    this.nat = new PacketPath('nat', natSettingsOf(spec), open.nat, log);
  }

  get all(): readonly Pick<typeof this.nat, 'mode' | 'snapshot'>[] {
    return [this.nat];
  }

  /** Of those that have been opened, this moment. */
  snapshots(tuples: readonly FlowTuple[]): readonly PathSnapshot[] {
    return this.all.flatMap((path) => path.snapshot(tuples) ?? []);
  }

  /** Takes the settings of a new specification, which `requireUnchanged` has nothing against. */
  configure(spec: InstanceSpec): void {
    this.nat.configure(this.#natSettings(spec));
  }

  /** Throws ERR_SLUICE_NEEDS_RESTART if the settings of a specification differ where a path runs. */
  requireUnchanged(spec: InstanceSpec): void {
    this.nat.requireUnchanged(this.#natSettings(spec));
  }

  /** Brings about what the services want. Rejects with a SluiceError. */
  async apply(): Promise<void> {
    await this.nat.apply();
  }

  /** Packets that came and were for no service, by reason. */
  drops(): Readonly<Record<string, number>> {
    return this.nat.drops();
  }

  /** Those that are open. */
  view(): readonly PathView[] {
    const view = this.nat.view();
    return view === undefined ? [] : [view];
  }

  /** Puts the machine back. */
  async stop(): Promise<void> {
    await this.nat.stop();
  }

  /** Without a service of the mode nothing is said of its sources. */
  #natSettings(spec: InstanceSpec): NatSettings {
    const settings = natSettingsOf(spec);
    const silent = !spec.services.some(({ mode }) => mode === 'nat');
    return silent ? { ...settings, snatAddresses: this.nat.settings.snatAddresses } : settings;
  }
}
