/**
 * The NAT data path. Figure 9.
 *
 * It is meant for PREROUTING and, for clients on this machine, OUTPUT: the kernel looks the route up afterwards, so a
 * new destination is all it takes to send a packet there, or back to where it came from. Towards backends the
 * source is SNAT's, towards clients the VIP's: if that is an address of this machine, the kernel takes the packet
 * for a forged one unless `accept_local` is set on the interface by which it came in.
 */
import type { Pick } from './decision.ts';
import { Forwarder, type ForwarderOptions } from './forwarder.ts';
import { NatDecision } from './nat-decision.ts';
import type { ForwardingTables } from './tables.ts';

export interface NatOptions extends ForwarderOptions {
  readonly tables: ForwardingTables;
  readonly pick: Pick;
}

/** A forwarder that translates addresses and ports, in both directions. */
export function natForwarder(options: NatOptions): Forwarder<ForwardingTables> {
  const { tables, tracker, counters, pick } = options;
  return new Forwarder(new NatDecision(tables, tracker, counters, pick), options);
}
