/**
 * What the packet path knows of services and backends: columns by number, and indexes from addresses to numbers.
 * Built from plain data that any thread can be sent, and then never changed: a reload makes a new generation and
 * the forwarder is handed that. Only `endpointDown` is shared and changes under way, as health checks see fit.
 *
 * A number names the same VIP, endpoint or SNAT address for as long as a flow uses it, in every generation; those
 * that are configured no more stay in their column (`retired`) until their last flow is gone (see numbering.ts).
 */
import type { AddressBook } from '../conntrack/address-book.ts';
import { familyOf, writeAddress } from '../packet/address.ts';
import { AddressIndex } from './address-index.ts';

/** A number from 1 up; no new flows come to or leave from a retired one. */
interface Numbered {
  readonly number: number;
  readonly address: string;
  readonly retired: boolean;
}

export interface VipEntry extends Numbered {
  readonly port: number;
  /** One of `Protocol`: TCP or UDP. */
  readonly protocol: number;
  /** Whether backends see the balancer's address; else they see the client's, and route answers back here. */
  readonly snat: boolean;
  /** Whether TCP flows of a backend that goes down are reset; else their packets are dropped. */
  readonly resetWhenDown: boolean;
  /** Whether who finds no backend is told so, by a RST or an ICMP error; else the packet is dropped. */
  readonly rejectWhenNone: boolean;
}

export interface EndpointEntry extends Numbered {
  readonly port: number;
  /** Numbers of the SNAT addresses that it can answer to. Those of the other family do not count. */
  readonly snats: readonly number[];
}

/** Everything of one generation, fit for `postMessage`. */
export interface TablesSpec {
  readonly generation: number;
  readonly vips: readonly VipEntry[];
  readonly endpoints: readonly EndpointEntry[];
  /** SNAT addresses, numbered up to 255. */
  readonly snats: readonly Numbered[];
  /** The ports of all workers' pools together, both ends included: nobody else's traffic. */
  readonly snatPorts: readonly [first: number, last: number];
  /** By endpoint number: 1 = down. Written by whoever checks health. */
  readonly endpointDown: Uint8Array;
}

const vipMark = 1;
const snatMark = 2;
const none = new Uint8Array(0);

export class ForwardingTables implements AddressBook {
  readonly generation: number;
  readonly vipWords: Int32Array;
  readonly vipPort: Uint16Array;
  readonly vipProtocol: Uint8Array;
  readonly vipSnat: Uint8Array;
  readonly vipResetWhenDown: Uint8Array;
  readonly vipRejectWhenNone: Uint8Array;
  readonly endpointWords: Int32Array;
  readonly endpointPort: Uint16Array;
  readonly endpointDown: Uint8Array;
  readonly snatWords: Int32Array;
  /** Numbers of the SNAT addresses that a new flow may leave from, by endpoint. */
  readonly #snatsOf: readonly Uint8Array[];
  readonly #firstPort: number;
  readonly #lastPort: number;
  readonly #vips: AddressIndex;
  /** What an address is, whatever the port: `vipMark`, `snatMark` or both. */
  readonly #marks: AddressIndex;

  constructor(spec: TablesSpec) {
    const vips = highest(spec.vips) + 1;
    const endpoints = highest(spec.endpoints) + 1;
    this.generation = spec.generation;
    this.vipWords = addressColumn(spec.vips);
    this.vipPort = new Uint16Array(vips);
    this.vipProtocol = new Uint8Array(vips);
    this.vipSnat = new Uint8Array(vips);
    this.vipResetWhenDown = new Uint8Array(vips);
    this.vipRejectWhenNone = new Uint8Array(vips);
    this.endpointWords = addressColumn(spec.endpoints);
    this.endpointPort = new Uint16Array(endpoints);
    this.endpointDown = spec.endpointDown;
    this.snatWords = addressColumn(spec.snats);
    [this.#firstPort, this.#lastPort] = spec.snatPorts;
    this.#snatsOf = this.#usableSnats(spec);
    this.#vips = new AddressIndex(spec.vips.length);
    this.#marks = new AddressIndex(spec.vips.length + spec.snats.length);

    for (const { number, port } of spec.endpoints) this.endpointPort[number] = port;
    for (const vip of spec.vips) {
      this.vipPort[vip.number] = vip.port;
      this.vipProtocol[vip.number] = vip.protocol;
      this.vipSnat[vip.number] = Number(vip.snat);
      this.vipResetWhenDown[vip.number] = Number(vip.resetWhenDown);
      this.vipRejectWhenNone[vip.number] = Number(vip.rejectWhenNone);
      if (vip.retired) continue;
      this.#vips.set(this.vipWords, vip.number * 4, vip.port, vip.protocol, vip.number);
      this.#mark(this.vipWords, vip.number, vipMark);
    }
    for (const { number } of spec.snats) this.#mark(this.snatWords, number, snatMark);
  }

  /** The VIP at this address and port that takes new flows; 0 if there is none. */
  vipAt(words: Int32Array, at: number, port: number, protocol: number): number {
    return this.#vips.get(words, at, port, protocol);
  }

  /** Whether the address is a VIP's, on whatever port. */
  isVipAddress(words: Int32Array, at: number): boolean {
    return (this.#marks.get(words, at, 0, 0) & vipMark) !== 0;
  }

  /** Whether only answers to our own flows are sent here. */
  isSnatPort(words: Int32Array, at: number, port: number): boolean {
    if (port < this.#firstPort || port > this.#lastPort) return false;
    return (this.#marks.get(words, at, 0, 0) & snatMark) !== 0;
  }

  /** Numbers of the SNAT addresses that a new flow to this endpoint may leave from. */
  snatsOf(endpoint: number): Uint8Array {
    return this.#snatsOf[endpoint] ?? none;
  }

  /** The same for a flow to `vip`: none if it keeps the client's address. */
  snatsFor(vip: number, endpoint: number): Uint8Array {
    return this.vipSnat[vip] === 1 ? this.snatsOf(endpoint) : none;
  }

  #mark(words: Int32Array, number: number, mark: number): void {
    const before = this.#marks.get(words, number * 4, 0, 0);
    this.#marks.set(words, number * 4, 0, 0, before | mark);
  }

  #usableSnats(spec: TablesSpec): Uint8Array[] {
    const active = new Set(spec.snats.filter(({ retired }) => !retired).map(({ number }) => number));
    const byEndpoint: Uint8Array[] = [];
    for (const { number, snats } of spec.endpoints) {
      const family = familyOf(this.endpointWords, number * 4);
      const usable = snats.filter(
        (snat) => active.has(snat) && familyOf(this.snatWords, snat * 4) === family,
      );
      byEndpoint[number] = Uint8Array.from(usable);
    }
    return byEndpoint;
  }
}

function highest(entries: readonly Numbered[]): number {
  return entries.reduce((most, { number }) => Math.max(most, number), 0);
}

/** Addresses by number. Text that is no address is a defect of whoever made the spec. */
function addressColumn(entries: readonly Numbered[]): Int32Array {
  const words = new Int32Array((highest(entries) + 1) * 4);
  for (const { number, address } of entries) {
    if (!writeAddress(address, words, number * 4)) throw new RangeError(`not an address: ${address}`);
  }
  return words;
}
