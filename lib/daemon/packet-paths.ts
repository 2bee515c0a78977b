/** The packet paths of an instance, one for each mode that has one. */
import type { DsrSettings, DsrVip } from '../datapath/dsr/settings.ts';
import type { NatSettings, NatVip } from '../datapath/nat/settings.ts';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import type { Log } from '../model/log.ts';
import type { InstanceSpec } from '../model/spec.ts';
import type { PathView } from '../model/view.ts';
import type { OpenDatapaths } from './datapath.ts';
import { PacketPath } from './packet-path.ts';
import { dsrSettingsOf, natSettingsOf } from './path-settings.ts';

export class PacketPaths {
  readonly nat: PacketPath<NatSettings, NatVip>;
  readonly dsr: PacketPath<DsrSettings, DsrVip>;

  constructor(spec: InstanceSpec, open: OpenDatapaths, log: Log) {
    this.nat = new PacketPath('nat', natSettingsOf(spec), open.nat, log);
    this.dsr = new PacketPath('dsr', dsrSettingsOf(spec), open.dsr, log);
  }

  get all(): readonly Pick<typeof this.nat, 'mode' | 'snapshot' | 'drops' | 'view'>[] {
    return [this.nat, this.dsr];
  }

  /** Of those that have been opened, this moment. */
  snapshots(tuples: readonly FlowTuple[]): readonly PathSnapshot[] {
    return this.all.flatMap((path) => path.snapshot(tuples) ?? []);
  }

  /** Takes the settings of a new specification, which `requireUnchanged` has nothing against. */
  configure(spec: InstanceSpec): void {
    this.nat.configure(this.#natSettings(spec));
    this.dsr.configure(dsrSettingsOf(spec));
  }

  /** Throws ERR_SLUICE_NEEDS_RESTART if the settings of a specification differ where a path runs. */
  requireUnchanged(spec: InstanceSpec): void {
    this.nat.requireUnchanged(this.#natSettings(spec));
    this.dsr.requireUnchanged(dsrSettingsOf(spec));
  }

  /** Brings about what the services want. Rejects with a SluiceError. */
  async apply(): Promise<void> {
    await this.nat.apply();
    await this.dsr.apply();
  }

  /** Packets that came and were for no service, by reason. */
  drops(): Readonly<Record<string, number>> {
    const drops: Record<string, number> = {};
    for (const path of this.all) {
      for (const [reason, count] of Object.entries(path.drops()))
        drops[reason] = (drops[reason] ?? 0) + count;
    }
    return drops;
  }

  /** Those that are open. */
  view(): readonly PathView[] {
    return this.all.map((path) => path.view()).filter((view) => view !== undefined);
  }

  /** Puts the machine back, of each path whatever becomes of the other. */
  async stop(): Promise<void> {
    await Promise.all([this.nat.stop(), this.dsr.stop()]);
  }

  /** Without a service of the mode nothing is said of its sources. */
  #natSettings(spec: InstanceSpec): NatSettings {
    const settings = natSettingsOf(spec);
    const silent = !spec.services.some(({ mode }) => mode === 'nat');
    return silent ? { ...settings, snatAddresses: this.nat.settings.snatAddresses } : settings;
  }
}
