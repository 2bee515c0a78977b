/** From a generation of tables to what the machine has to do for it. */
import { familyOf, type KernelDescription } from './kernel/description.ts';
import { interfaceNames } from './kernel/sysctls.ts';
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
    interfaces: interfaceNames(),
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
