/** What a specification says of the packet paths, and what of it cannot change while they run. */
import { isDeepStrictEqual } from 'node:util';
import { snatAddressesOf } from '../config/nat-findings.ts';
import { defaultFlowTimeouts } from '../conntrack/states.ts';
import { runtimeDirectory } from '../control/path.ts';
import type { NatSettings } from '../datapath/nat/settings.ts';
import type { InstanceSpec } from '../model/spec.ts';

/** The settings of mode nat. */
export function natSettingsOf(spec: InstanceSpec): NatSettings {
  const { workers, snatPorts, maxFlows, onFailure, addVip, timeouts } = spec.nat;
  return {
    name: spec.name,
    directory: runtimeDirectory(),
    workers,
    snatAddresses: snatAddressesOf(spec),
    snatPorts,
    maxFlows,
    onFailure,
    addVip,
    hashSeed: spec.hashSeed,
    timeouts: { ...defaultFlowTimeouts, ...timeouts },
  };
}

/** Settings as the configuration calls them. */
const settingNames: Readonly<Record<keyof NatSettings, string>> = {
  name: 'name',
  directory: 'XDG_RUNTIME_DIR',
  workers: 'workers',
  snatAddresses: 'snat',
  snatPorts: 'snat-ports',
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
