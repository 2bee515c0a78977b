/**
 * What the packet path of every mode knows of services and backends: columns by number, and indexes from addresses to
 * numbers. Built from plain data that any thread can be sent, and then never changed: a reload makes a new generation
 * and the forwarder is handed that. Only `endpointDown` is shared and changes under way, as health checks see fit.
 *
 * A number names the same VIP or endpoint for as long as a flow uses it, in every generation; those that are configured
 * no more stay in their column (`retired`) until their last flow is gone (see numbering.ts).
 */
import { writeAddress } from '../packet/address.ts';
import { AddressIndex } from './address-index.ts';

/** A number from 1 up; no new flows come to or leave from a retired one. */
export interface Numbered {
  readonly number: number;
  readonly address: string;
  readonly retired: boolean;
}

/** Where clients come to. */
export interface ServiceVip extends Numbered {
  readonly port: number;
  /** One of `Protocol`: TCP or UDP. */
  readonly protocol: number;
  /** Whether who finds no backend is told so, by a RST or an ICMP error; else the packet is dropped. */
  readonly rejectWhenNone: boolean;
}

/** What is common to the generations of all modes, fit for `postMessage`. */
export interface ServiceSpec {
  readonly generation: number;
  readonly vips: readonly ServiceVip[];
  readonly endpoints: readonly Numbered[];
  /** By endpoint number: 1 = down. Written by whoever checks health. */
  readonly endpointDown: Uint8Array;
}

export class ServiceTables {
  readonly generation: number;
  readonly vipWords: Int32Array;
  readonly vipPort: Uint16Array;
  readonly vipProtocol: Uint8Array;
  readonly vipRejectWhenNone: Uint8Array;
  readonly endpointWords: Int32Array;
  readonly endpointDown: Uint8Array;
  readonly #vips: AddressIndex;
  readonly #vipAddresses: AddressIndex;

  constructor({ generation, vips, endpoints, endpointDown }: ServiceSpec) {
    const numbers = highest(vips) + 1;
    this.generation = generation;
    this.vipWords = addressColumn(vips);
    this.vipPort = new Uint16Array(numbers);
    this.vipProtocol = new Uint8Array(numbers);
    this.vipRejectWhenNone = new Uint8Array(numbers);
    this.endpointWords = addressColumn(endpoints);
    this.endpointDown = endpointDown;
    this.#vips = new AddressIndex(vips.length);
    this.#vipAddresses = new AddressIndex(vips.length);
    for (const { number, port, protocol, rejectWhenNone, retired } of vips) {
      this.vipPort[number] = port;
      this.vipProtocol[number] = protocol;
      this.vipRejectWhenNone[number] = Number(rejectWhenNone);
      if (retired) continue;
      this.#vips.set(this.vipWords, number * 4, port, protocol, number);
      this.#vipAddresses.set(this.vipWords, number * 4, 0, 0, number);
    }
  }

  /** The VIP at this address and port that takes new flows; 0 if there is none. */
  vipAt(words: Int32Array, at: number, port: number, protocol: number): number {
    return this.#vips.get(words, at, port, protocol);
  }

  /** Whether the address is a VIP's, on whatever port. */
  isVipAddress(words: Int32Array, at: number): boolean {
    return this.#vipAddresses.get(words, at, 0, 0) !== 0;
  }
}

/** The greatest number there is; 0 if there is none. */
export function highest(entries: readonly Pick<Numbered, 'number'>[]): number {
  return entries.reduce((most, { number }) => Math.max(most, number), 0);
}

/** Addresses by number, four words each. Text that is no address is a defect of whoever made the spec. */
export function addressColumn(entries: readonly Pick<Numbered, 'number' | 'address'>[]): Int32Array {
  const words = new Int32Array((highest(entries) + 1) * 4);
  for (const { number, address } of entries) {
    if (!writeAddress(address, words, number * 4)) throw new RangeError(`not an address: ${address}`);
  }
  return words;
}
