/** What a specification says of the packet paths, and what of it cannot change while they run. */
import { isDeepStrictEqual } from 'node:util';
import { snatAddressesOf } from '../config/nat-findings.ts';
import { defaultFlowTimeouts } from '../conntrack/states.ts';
import { runtimeDirectory } from '../control/path.ts';
import type { DsrSettings } from '../datapath/dsr/settings.ts';
import type { NatSettings } from '../datapath/nat/settings.ts';
import type { PathSettings } from '../datapath/settings.ts';
import type { InstanceSpec, PathSpec } from '../model/spec.ts';

/** The settings of mode nat. */
export function natSettingsOf(spec: InstanceSpec): NatSettings {
  const { snatPorts } = spec.nat;
  return { ...commonSettings(spec, spec.nat), snatAddresses: snatAddressesOf(spec), snatPorts };
}

/** The settings of mode dsr. */
export function dsrSettingsOf(spec: InstanceSpec): DsrSettings {
  const { probePorts, newFlows } = spec.dsr;
  return { ...commonSettings(spec, spec.dsr), probePorts, newFlows };
}

function commonSettings({ name, hashSeed }: InstanceSpec, path: PathSpec): PathSettings {
  const { workers, maxFlows, onFailure, addVip, timeouts } = path;
  return {
    name,
    directory: runtimeDirectory(),
    workers,
    maxFlows,
    onFailure,
    addVip,
    hashSeed,
    timeouts: { ...defaultFlowTimeouts, ...timeouts },
  };
}

/** Settings as the configuration calls them. */
const settingNames: Readonly<Record<keyof NatSettings | keyof DsrSettings, string>> = {
  name: 'name',
  directory: 'XDG_RUNTIME_DIR',
  workers: 'workers',
  snatAddresses: 'snat',
  snatPorts: 'snat-ports',
  probePorts: 'probe-ports',
  newFlows: 'new-flows',
  maxFlows: 'max-flows',
  onFailure: 'on-failure',
  addVip: 'add-vip',
  hashSeed: 'hash-seed',
  timeouts: 'timeouts',
};

/** The names of those that differ, with commas between them. */
export function differingSettings<Settings extends object>(one: Settings, other: Settings): string {
  return Object.entries(settingNames)
    .filter(([key]) => !isDeepStrictEqual(one[key as keyof Settings], other[key as keyof Settings]))
    .map(([, name]) => name)
    .join(', ');
}
