/** From a generation of tables to what the machine has to do for it. */
import { readdirSync } from 'node:fs';
import type { KernelDescription, PortRange } from './kernel/description.ts';
import type { Generation } from './publisher.ts';
import type { NatEndpoint, NatSettings } from './settings.ts';

export interface Surroundings {
  readonly settings: NatSettings;
  readonly firstQueue: number;
  readonly spreadSeed: number;
  /** Whether this machine has a VIP of its own accord. */
  isOwn(vip: string): boolean;
}

/** What is retired counts too: its flows go on. */
export function describeKernel(generation: Generation, surroundings: Surroundings): KernelDescription {
  const { settings, firstQueue, spreadSeed, isOwn } = surroundings;
  const { addVip, workers, onFailure } = settings;
  const vips = generation.vips.all.map(({ value }) => endpointOf(value));
  const vipAddresses = [...new Set(vips.map(({ address }) => address))];
  return {
    rules: {
      vips,
      snatAddresses: generation.snats.all.map(({ value }) => value),
      snatPorts: sharePorts(settings.snatPorts, workers),
      routedBackends: generation.endpoints.all
        .filter(({ value }) => value.routed)
        .map(({ value }) => endpointOf(value)),
      workers,
      firstQueue,
      spreadSeed,
      onFailure,
    },
    interfaces: linkNames(),
    addedAddresses:
      addVip === undefined
        ? []
        : vipAddresses
            .filter((address) => !isOwn(address))
            .map((address) => ({ interface: addVip, address })),
  };
}

/** Disjoint shares of a range of ports, by worker. */
export function sharePorts([first, last]: PortRange, workers: number): readonly PortRange[] {
  const size = last - first + 1;
  const start = (worker: number): number => first + Math.floor((size * worker) / workers);
  return Array.from({ length: workers }, (_, worker) => [start(worker), start(worker + 1) - 1]);
}

/** Clients may come by any interface, also by one that is down as yet, which `os.networkInterfaces` would hide. */
function linkNames(): readonly string[] {
  return readdirSync('/proc/sys/net/ipv4/conf').filter((name) => !['all', 'default', 'lo'].includes(name));
}

function endpointOf({ protocol, address, port }: NatEndpoint): NatEndpoint {
  return { protocol, address, port };
}
