/**
 * Puts a packet into a tunnel: an outer header, and with GRE its header too, are written in front of it.
 *
 *     headroom bytes, free           the packet, to the byte as it was
 *   ├────┬───────────────┬──────┬───────────────────────────────────┤
 *   │    │ IPv4 20, IPv6 │ GRE  │ inner IPv4 or IPv6 packet         │
 *   │    │ 40            │ 4    │                                   │
 *   ├────┴───────────────┴──────┴───────────────────────────────────┤
 *        └─ start             inner ─┘
 *
 * Outer header: a time to live of its own; the inner traffic class (see ecn.ts); "don't fragment" as inside. IPv6 has
 * no such bit and is never cut up on its way, but routers have to let 1280 bytes of it pass (RFC 8200 §5), so outer
 * IPv4 packets that carry no more may be.
 */
import { fold } from './checksum.ts';
import { trafficClassOf } from './ecn.ts';
import { Gre, GrePayload } from './gre.ts';
import { Ipv4, Ipv4Fragment } from './ipv4.ts';
import { Ipv6 } from './ipv6.ts';
import { Protocol } from './packet.ts';

/** How packets reach a backend. `l2` has no outer header: the packet goes to the backend's link address. */
export const Encapsulation = { gre: 1, ipip: 2, l2: 3 } as const;

/** Free bytes in front of every packet that may get a header there: more than any of ours needs. */
export const headroom = 64;

/** IPv6's least MTU (RFC 8200 §5). */
export const leastIpv6Mtu = 1280;

const timeToLive = 64;

/** Bytes that encapsulation adds, by the version (4 or 6) of the outer header. */
export function overheadOf(encapsulation: number, outerVersion: number): number {
  if (encapsulation === Encapsulation.l2) return 0;
  const ip = outerVersion === 4 ? Ipv4.minimumLength : Ipv6.headerLength;
  return encapsulation === Encapsulation.gre ? ip + Gre.headerLength : ip;
}

const noAddress = new Int32Array(4);

/** What an outer header says; one instance is filled again for every packet. It copies no address. */
export class OuterHeader {
  /** `Encapsulation.gre` or `ipip`. */
  encapsulation: number = Encapsulation.gre;
  /** What the last word of the source differs by from what stands there. */
  sourceVariation = 0;
  /** The same for all packets of a flow: outer IPv6 headers tell routers so (RFC 6438). 20 bits count. */
  flowLabel = 0;
  #version = 4;
  #source: Int32Array = noAddress;
  #sourceAt = 0;
  #destination: Int32Array = noAddress;
  #destinationAt = 0;
  /** Of the next outer IPv4 packet that may be fragmented: no two in flight share it (RFC 6864). */
  #identification: number;

  /** Identifications begin at `identification`. */
  constructor(identification: number) {
    this.#identification = identification & 0xffff;
  }

  /**
   * Has it lead from one address to another, each four words as in `Packet.words` and both of `version`, 4 or 6. They are
   * read when it is written.
   */
  lead(
    version: number,
    source: Int32Array,
    sourceAt: number,
    destination: Int32Array,
    destinationAt: number,
  ): void {
    this.#version = version;
    this.#source = source;
    this.#sourceAt = sourceAt;
    this.#destination = destination;
    this.#destinationAt = destinationAt;
  }

  /** Writes itself in front of the packet of `length` bytes that begins at `inner`. Answers with where it begins. */
  write(view: DataView, inner: number, length: number): number {
    const innerVersion = view.getUint8(inner) >> 4;
    const protocol = this.#protocolFor(innerVersion);
    let at = inner;
    if (protocol === Protocol.gre) {
      at -= Gre.headerLength;
      view.setUint32(at, innerVersion === 4 ? GrePayload.ipv4 : GrePayload.ipv6);
    }
    const payload = inner + length - at;
    return this.#version === 4
      ? this.#writeIpv4(view, at, payload, protocol, inner, length)
      : this.#writeIpv6(view, at, payload, protocol, inner);
  }

  #protocolFor(innerVersion: number): number {
    if (this.encapsulation === Encapsulation.gre) return Protocol.gre;
    return innerVersion === 4 ? Protocol.ipip : Protocol.ipv6;
  }

  #writeIpv4(
    view: DataView,
    end: number,
    payload: number,
    protocol: number,
    inner: number,
    length: number,
  ): number {
    const start = end - Ipv4.minimumLength;
    const first = 0x4500 | trafficClassOf(view, inner);
    const total = payload + Ipv4.minimumLength;
    const flags = mayBeFragmented(view, inner, length) ? 0 : Ipv4Fragment.dontFragment;
    const identification = flags === 0 ? this.#identification : 0;
    if (flags === 0) this.#identification = (identification + 1) & 0xffff;
    const life = (timeToLive << 8) | protocol;
    const source = this.#source[this.#sourceAt + 3]! ^ this.sourceVariation;
    const destination = this.#destination[this.#destinationAt + 3]!;
    const addresses = (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff);
    const checksum = ~fold(first + total + identification + flags + life + addresses) & 0xffff;
    view.setInt32(start, (first << 16) | total);
    view.setInt32(start + Ipv4.identification, (identification << 16) | flags);
    view.setInt32(start + Ipv4.timeToLive, (life << 16) | checksum);
    view.setInt32(start + Ipv4.source, source);
    view.setInt32(start + Ipv4.destination, destination);
    return start;
  }

  #writeIpv6(view: DataView, end: number, payload: number, protocol: number, inner: number): number {
    const start = end - Ipv6.headerLength;
    const first = 0x60000000 | (trafficClassOf(view, inner) << 20) | (this.flowLabel & 0xfffff);
    view.setInt32(start, first);
    view.setInt32(start + Ipv6.payloadLength, (payload << 16) | (protocol << 8) | timeToLive);
    for (let index = 0; index < 4; index++) {
      view.setInt32(start + Ipv6.source + (index << 2), this.#source[this.#sourceAt + index]!);
      view.setInt32(start + Ipv6.destination + (index << 2), this.#destination[this.#destinationAt + index]!);
    }
    const lastWord = start + Ipv6.destination - 4;
    view.setInt32(lastWord, view.getInt32(lastWord) ^ this.sourceVariation);
    return start;
  }
}

/** Whether the outer packet around this one may be cut up. */
function mayBeFragmented(view: DataView, inner: number, length: number): boolean {
  if (view.getUint8(inner) >> 4 === 6) return length <= leastIpv6Mtu;
  return (view.getUint16(inner + Ipv4.fragment) & Ipv4Fragment.dontFragment) === 0;
}
