/** What the packet path of mode nat is asked to do beyond what all are. */
import type { PathSettings, Vip } from '../settings.ts';

/** One address of a service. Backends of the other family are left out. */
export interface NatVip extends Vip {
  /** Whether backends see an address of the balancer's; else they see the client's, and route answers back here. */
  readonly snat: boolean;
  /** What becomes of the TCP flows of a backend that went down. */
  readonly whenDown: 'reset' | 'drop';
}

export interface NatSettings extends PathSettings {
  /** Source addresses of rewritten packets; if empty, those that this machine has towards each backend. */
  readonly snatAddresses: readonly string[];
  /** Both ends included. */
  readonly snatPorts: readonly [first: number, last: number];
}
