/**
 * What the packet path needs of the machine, as plain data: which packets come to which queue, which interfaces
 * carry them, which addresses are added. Two descriptions that are deeply equal ask for the same.
 */
import type { Protocol } from '../../model/spec.ts';
import { writeAddress } from '../../packet/address.ts';
import type { Selector } from './selectors.ts';

/** A TCP or UDP port of an address; `address` is IPv4 or IPv6 without brackets. */
export interface Endpoint {
  readonly address: string;
  readonly protocol: Protocol;
  readonly port: number;
}

/** Both ends included. */
export type PortRange = readonly [first: number, last: number];

/** What becomes of packets while nobody reads their queue: lost, or on their way as if there were no rule. */
export type OnFailure = 'drop' | 'bypass';

/** Which packets come to the queues, and to which of them. Worker `k` reads queue `firstQueue + k`. */
export interface RulesDescription {
  /** Each once, the most frequent packets first. */
  readonly selectors: readonly Selector[];
  readonly workers: number;
  readonly firstQueue: number;
  /** 32 bits that decide over which worker gets which client, so that a client cannot choose. */
  readonly spreadSeed: number;
  readonly onFailure: OnFailure;
}

/** An address that is put on an interface and announced there for as long as sluice runs. */
export interface AddedAddress {
  readonly interface: string;
  readonly address: string;
}

/** Packets with a mark go to a next hop on a link, whatever their destination says. */
export interface MarkedRoute {
  /** Of the packets; IPv6 next hops may carry IPv4. */
  readonly family: 4 | 6;
  /** 32 bits, of this holder alone; the routing table has the same number. */
  readonly mark: number;
  readonly nextHop: string;
  readonly interface: string;
}

export interface KernelDescription {
  readonly rules: RulesDescription;
  /** Addresses that packets may carry as their source when they have been rewritten. */
  readonly sources: readonly string[];
  /** Names of the interfaces that clients' packets or backends' answers come in by. */
  readonly interfaces: readonly string[];
  readonly addedAddresses: readonly AddedAddress[];
  readonly markedRoutes: readonly MarkedRoute[];
  /** Families in which marks count even for packets to addresses of this machine. */
  readonly marksFirst: readonly (4 | 6)[];
}

/** The IP version of a literal address. */
export function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

/** An address as four words, each 0–0xffffffff; an IPv4 address is the last one. */
export function wordsOf(address: string): readonly number[] {
  const words = new Int32Array(4);
  if (!writeAddress(address, words, 0)) throw new RangeError(`not an address: ${address}`);
  return Array.from(words, (word) => word >>> 0);
}
