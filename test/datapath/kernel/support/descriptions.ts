/** Descriptions for tests: one service of mode nat, everything else as little as possible. */
import type { KernelDescription, RulesDescription } from '../../../../lib/datapath/kernel/description.ts';
import { type NatPlaces, natSelectors } from '../../../../lib/datapath/nat/selectors.ts';

export type Parts = Partial<NatPlaces & Omit<RulesDescription, 'selectors'>>;

const usual: NatPlaces = {
  vips: [{ address: '192.0.2.10', protocol: 'tcp', port: 80 }],
  snatAddresses: [],
  snatPorts: [[20_000, 29_999]],
  routedBackends: [],
  workers: 1,
};

export function rules(parts: Parts = {}): RulesDescription {
  const { workers = 1, firstQueue = 100, spreadSeed = 0x1234, onFailure = 'drop' } = parts;
  return { selectors: natSelectors({ ...usual, ...parts }), workers, firstQueue, spreadSeed, onFailure };
}

export function description(parts: Partial<KernelDescription> = {}): KernelDescription {
  return {
    rules: rules(),
    sources: [],
    interfaces: [],
    addedAddresses: [],
    markedRoutes: [],
    marksFirst: [],
    ...parts,
  };
}
