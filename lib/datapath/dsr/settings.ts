/** What the packet path of mode dsr is asked to do beyond what all are. */
import type { EncapsulationName } from '../../model/encapsulation.ts';
import type { PathSettings, Vip } from '../settings.ts';

/** One address of a service. Backends may be of either family, whatever the VIP's, and have no port. */
export interface DsrVip extends Vip {
  readonly encapsulation: EncapsulationName;
  /** `auto`, or addresses and networks (`10.7.0.0/24`): one at most of them of each family counts. */
  readonly outerSource: 'auto' | readonly string[];
}

export interface DsrSettings extends PathSettings {
  /** Both ends included. */
  readonly probePorts: readonly [first: number, last: number];
  /** That each worker remembers in a second. */
  readonly newFlows: number;
}
