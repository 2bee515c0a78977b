/** Descriptions for tests: one service, everything else as little as possible. */
import type { KernelDescription, RulesDescription } from '../../../../lib/datapath/kernel/description.ts';

export function rules(parts: Partial<RulesDescription> = {}): RulesDescription {
  return {
    vips: [{ address: '192.0.2.10', protocol: 'tcp', port: 80 }],
    snatAddresses: [],
    snatPorts: [[20_000, 29_999]],
    routedBackends: [],
    workers: 1,
    firstQueue: 100,
    spreadSeed: 0x1234,
    onFailure: 'drop',
    ...parts,
  };
}

export function description(parts: Partial<KernelDescription> = {}): KernelDescription {
  return { rules: rules(), interfaces: [], addedAddresses: [], ...parts };
}
