/**
 * What the packet path knows of NAT services beside what every mode does (see service-tables.ts): the addresses that
 * rewritten packets leave from. A number names the same SNAT address for as long as a flow uses it, as VIPs' do.
 */
import type { AddressBook } from '../conntrack/address-book.ts';
import { familyOf } from '../packet/address.ts';
import { AddressIndex } from './address-index.ts';
import {
  addressColumn,
  highest,
  type Numbered,
  type ServiceSpec,
  ServiceTables,
  type ServiceVip,
} from './service-tables.ts';

export interface VipEntry extends ServiceVip {
  /** Whether backends see the balancer's address; else they see the client's, and route answers back here. */
  readonly snat: boolean;
  /** Whether TCP flows of a backend that goes down are reset; else their packets are dropped. */
  readonly resetWhenDown: boolean;
}

export interface EndpointEntry extends Numbered {
  readonly port: number;
  /** Numbers of the SNAT addresses that it can answer to. Those of the other family do not count. */
  readonly snats: readonly number[];
}

/** Everything of one generation, fit for `postMessage`. */
export interface TablesSpec extends ServiceSpec {
  readonly vips: readonly VipEntry[];
  readonly endpoints: readonly EndpointEntry[];
  /** SNAT addresses, numbered up to 255. */
  readonly snats: readonly Numbered[];
  /** The ports of all workers' pools together, both ends included: nobody else's traffic. */
  readonly snatPorts: readonly [first: number, last: number];
}

const none = new Uint8Array(0);

export class ForwardingTables extends ServiceTables implements AddressBook {
  readonly vipSnat: Uint8Array;
  readonly vipResetWhenDown: Uint8Array;
  readonly endpointPort: Uint16Array;
  readonly snatWords: Int32Array;
  /** Numbers of the SNAT addresses that a new flow may leave from, by endpoint. */
  readonly #snatsOf: readonly Uint8Array[];
  readonly #firstPort: number;
  readonly #lastPort: number;
  readonly #snatAddresses: AddressIndex;

  constructor(spec: TablesSpec) {
    super(spec);
    const vips = highest(spec.vips) + 1;
    this.vipSnat = new Uint8Array(vips);
    this.vipResetWhenDown = new Uint8Array(vips);
    this.endpointPort = new Uint16Array(highest(spec.endpoints) + 1);
    this.snatWords = addressColumn(spec.snats);
    [this.#firstPort, this.#lastPort] = spec.snatPorts;
    this.#snatsOf = this.#usableSnats(spec);
    this.#snatAddresses = new AddressIndex(spec.snats.length);

    for (const { number, port } of spec.endpoints) this.endpointPort[number] = port;
    for (const { number, snat, resetWhenDown } of spec.vips) {
      this.vipSnat[number] = Number(snat);
      this.vipResetWhenDown[number] = Number(resetWhenDown);
    }
    for (const { number } of spec.snats) this.#snatAddresses.set(this.snatWords, number * 4, 0, 0, number);
  }

  /** Whether only answers to our own flows are sent here. */
  isSnatPort(words: Int32Array, at: number, port: number): boolean {
    if (port < this.#firstPort || port > this.#lastPort) return false;
    return this.#snatAddresses.get(words, at, 0, 0) !== 0;
  }

  /** Numbers of the SNAT addresses that a new flow to this endpoint may leave from. */
  snatsOf(endpoint: number): Uint8Array {
    return this.#snatsOf[endpoint] ?? none;
  }

  /** The same for a flow to `vip`: none if it keeps the client's address. */
  snatsFor(vip: number, endpoint: number): Uint8Array {
    return this.vipSnat[vip] === 1 ? this.snatsOf(endpoint) : none;
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
