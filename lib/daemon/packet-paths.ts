/** The packet paths of an instance, one for each mode that has one. */
import type { NatSettings, NatVip } from '../datapath/nat/settings.ts';
import type { Log } from '../model/log.ts';
import type { InstanceSpec } from '../model/spec.ts';
import type { OpenDatapaths } from './datapath.ts';
import { PacketPath } from './packet-path.ts';
import { natSettingsOf } from './path-settings.ts';

export class PacketPaths {
  readonly nat: PacketPath<NatSettings, NatVip>;

  constructor(spec: InstanceSpec, open: OpenDatapaths, log: Log) {
    this.nat = new PacketPath('nat', natSettingsOf(spec), open.nat, log);
  }

  /** Takes the settings of a new specification. Throws ERR_SLUICE_NEEDS_RESTART if they differ where a path runs. */
  configure(spec: InstanceSpec): void {
    const settings = natSettingsOf(spec);
    // Without a service of the mode nothing is said of its sources.
    const silent = !spec.services.some(({ mode }) => mode === 'nat');
    const { snatAddresses } = this.nat.settings;
    this.nat.configure(silent ? { ...settings, snatAddresses } : settings);
  }

  /** Brings about what the services want. Rejects with a SluiceError. */
  async apply(): Promise<void> {
    await this.nat.apply();
  }

  /** Puts the machine back. */
  async stop(): Promise<void> {
    await this.nat.stop();
  }
}
