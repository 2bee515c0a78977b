/** From a generation of tables to what the machine has to do for it. */
import { readdirSync } from 'node:fs';
import { familyOf, type KernelDescription } from './kernel/description.ts';
import type { Generation } from './mode.ts';
import type { Publication } from './publication.ts';
import type { PathSettings } from './settings.ts';

export interface Surroundings {
  readonly settings: PathSettings;
  readonly firstQueue: number;
  readonly spreadSeed: number;
  /** Whether this machine has a VIP of its own accord. */
  isOwn(vip: string): boolean;
}

/** What is retired counts too: its flows go on. */
export function describeKernel(
  { selectors, sources, vips, markedRoutes }: Generation<Publication>,
  { settings, firstQueue, spreadSeed, isOwn }: Surroundings,
): KernelDescription {
  const { addVip, workers, onFailure } = settings;
  const vipAddresses = [...new Set(vips.all.map(({ value }) => value.address))];
  const marked = new Set(markedRoutes.map(({ family }) => family));
  const ownVips = vipAddresses.filter((address) => addVip !== undefined || isOwn(address));
  return {
    rules: { selectors, workers, firstQueue, spreadSeed, onFailure },
    sources,
    interfaces: linkNames(),
    addedAddresses:
      addVip === undefined
        ? []
        : vipAddresses
            .filter((address) => !isOwn(address))
            .map((address) => ({ interface: addVip, address })),
    markedRoutes,
    marksFirst: [...marked].filter((family) => ownVips.some((address) => familyOf(address) === family)),
  };
}

/** Clients may come by any interface, also by one that is down as yet, which `os.networkInterfaces` would hide. */
function linkNames(): readonly string[] {
  return readdirSync('/proc/sys/net/ipv4/conf').filter((name) => !['all', 'default', 'lo'].includes(name));
}
