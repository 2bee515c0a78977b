/**
 * What the packet path knows of services with direct server return, beside what every mode does (see
 * service-tables.ts): how to reach each endpoint, and which packets are checks of our own.
 *
 *   endpoint   address │ encapsulation │ source, and how many of its bits vary │ path MTU │ mark      by number
 *   tunnels    address → the endpoints there, one after the other: several services may have the same backend
 *   probes     source port − first → the endpoint that is checked from there
 *
 * An endpoint's encapsulation and source never change, since flows refer to it by number: another is another endpoint.
 */
import type { AddressBook } from '../conntrack/address-book.ts';
import { familyOf } from '../packet/address.ts';
import { Encapsulation, overheadOf } from '../packet/encapsulate.ts';
import { AddressIndex } from './address-index.ts';
import { addressColumn, highest, type Numbered, type ServiceSpec, ServiceTables } from './service-tables.ts';

/** The address is the outer destination; with `Encapsulation.l2`, the backend's own. */
export interface DsrEndpointEntry extends Numbered {
  /** One of `Encapsulation`. */
  readonly encapsulation: number;
  /** Where tunnel packets come from, of the family of `address`. Nothing to `l2`. */
  readonly source: string;
  /** How many of its lowest bits differ from flow to flow: 0–32. */
  readonly sourceVariation: number;
  /** What packets to this endpoint are marked with. To `l2` alone. */
  readonly mark: number;
}

/** Everything of one generation, fit for `postMessage`. */
export interface DsrTablesSpec extends ServiceSpec {
  readonly endpoints: readonly DsrEndpointEntry[];
  /**
   * By endpoint number: the longest outer packet that arrives there. Shared: the main thread sets it, and sets it anew
   * now and then, as paths may have grown (RFC 1191 §6.3); workers lower it when routers tell them to.
   */
  readonly endpointMtu: Uint16Array;
  readonly probes: ProbeSpec;
}

/** Checks of our own go through the data path like clients, but to the endpoint that they are about. */
export interface ProbeSpec {
  /** Addresses of this machine that they come from. */
  readonly sources: readonly string[];
  readonly firstPort: number;
  /** Endpoint numbers, by source port − `firstPort`; 0 is none. Shared; written by whoever checks health. */
  readonly endpoints: Uint16Array;
}

export class DsrTables extends ServiceTables implements AddressBook {
  /** Nothing is rewritten, and no answer ever looked up. */
  readonly endpointPort: Uint16Array;
  readonly snatWords: Int32Array = new Int32Array(4);
  readonly encapsulation: Uint8Array;
  /** 4 or 6: the family of the outer header. */
  readonly outerVersion: Uint8Array;
  /** Bytes of the outer header. */
  readonly overhead: Uint8Array;
  readonly sourceWords: Int32Array;
  /** The bits of a source's last word that vary. */
  readonly sourceMask: Int32Array;
  /** Whether outer headers differ from flow to flow: by their source, or by the flow label that IPv6 has. */
  readonly varies: Uint8Array;
  readonly mark: Uint32Array;
  readonly endpointMtu: Uint16Array;
  readonly #tunnels: AddressIndex;
  /** The next endpoint at the same address; 0: this is the last. */
  readonly #nextTunnel: Uint16Array;
  readonly #probes: ProbeSpec;
  readonly #probeSources: AddressIndex;

  constructor(spec: DsrTablesSpec) {
    super(spec);
    const numbers = highest(spec.endpoints) + 1;
    const tunnels = spec.endpoints.filter(({ encapsulation }) => encapsulation !== Encapsulation.l2);
    this.endpointPort = new Uint16Array(numbers);
    this.encapsulation = new Uint8Array(numbers);
    this.outerVersion = new Uint8Array(numbers);
    this.overhead = new Uint8Array(numbers);
    this.sourceWords = addressColumn(tunnels.map(({ number, source }) => ({ number, address: source })));
    this.sourceMask = new Int32Array(numbers);
    this.varies = new Uint8Array(numbers);
    this.mark = new Uint32Array(numbers);
    this.endpointMtu = spec.endpointMtu;
    this.#tunnels = new AddressIndex(tunnels.length);
    this.#nextTunnel = new Uint16Array(numbers);
    for (const { number, encapsulation, sourceVariation, mark } of spec.endpoints) {
      this.encapsulation[number] = encapsulation;
      this.outerVersion[number] = familyOf(this.endpointWords, number * 4);
      this.overhead[number] = overheadOf(encapsulation, this.outerVersion[number]!);
      this.sourceMask[number] = 2 ** sourceVariation - 1;
      this.varies[number] = Number(sourceVariation > 0 || this.outerVersion[number] === 6);
      this.mark[number] = mark;
    }
    for (const { number } of tunnels) {
      this.#nextTunnel[number] = this.tunnelTo(this.endpointWords, number * 4);
      this.#tunnels.set(this.endpointWords, number * 4, 0, 0, number);
    }
    this.#probes = spec.probes;
    const sources = addressColumn(spec.probes.sources.map((address, number) => ({ number, address })));
    this.#probeSources = new AddressIndex(spec.probes.sources.length);
    for (const [index] of spec.probes.sources.entries()) this.#probeSources.set(sources, index * 4, 0, 0, 1);
  }

  /** An endpoint whose tunnel leads to this address, 0 if there is none; `nextTunnel` names the others. */
  tunnelTo(words: Int32Array, at: number): number {
    return this.#tunnels.get(words, at, 0, 0);
  }

  nextTunnel(endpoint: number): number {
    return this.#nextTunnel[endpoint]!;
  }

  /** Whether the address may be the source of packets to this endpoint. */
  isSourceTo(endpoint: number, words: Int32Array, at: number): boolean {
    const source = endpoint << 2;
    const fixed = ~this.sourceMask[endpoint]!;
    return (
      ((this.sourceWords[source + 3]! ^ words[at + 3]!) & fixed) === 0 &&
      this.sourceWords[source + 2] === words[at + 2] &&
      this.sourceWords[source + 1] === words[at + 1] &&
      this.sourceWords[source] === words[at]
    );
  }

  /** The endpoint that a packet from this address and port is to check, 0 if that is none; -1: it is no check. */
  probedFrom(words: Int32Array, at: number, port: number): number {
    const { firstPort, endpoints } = this.#probes;
    const index = port - firstPort;
    if (index < 0 || index >= endpoints.length) return -1;
    return this.#probeSources.get(words, at, 0, 0) === 0 ? -1 : endpoints[index]!;
  }
}
