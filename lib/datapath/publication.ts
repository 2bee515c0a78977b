/** What the main thread sends the workers: one generation of tables, and who may be picked by them. Plain data. */
import type { BalanceName } from '../model/spec.ts';

/** A backend that takes new flows of a VIP. */
export interface Member {
  /** Its endpoint's number. */
  readonly endpoint: number;
  readonly name: string;
  readonly weight: number;
}

/** Who takes the new flows of one VIP, and packets in the middle of flows that nobody remembers. */
export interface Choice {
  /** The VIP's number. */
  readonly vip: number;
  readonly balance: BalanceName;
  readonly members: readonly Member[];
  /** Nobody takes new flows any more. */
  readonly refuse: boolean;
  /** The Maglev table over `members`, in shared memory, where something is placed by hash. */
  readonly table?: Uint16Array;
}

/** Tables are each mode's own; of all it is known which generation they are. */
export interface Publication {
  readonly tables: { readonly generation: number };
  readonly choices: readonly Choice[];
}
