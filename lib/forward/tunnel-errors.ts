/**
 * ICMP errors that routers send about our tunnel packets, to the address that those came from:
 *
 *   │ IP │ ICMP │ outer header, as we wrote it │ GRE │ the client's packet, as far as it was quoted │
 *
 * What they say of the path is remembered for the endpoint, and what they mean for the client is told to it, if enough
 * is quoted to know who it is (RFC 2003 §4, RFC 2473 §8): its packet is too big, or its host cannot be reached.
 * Anybody may send such a thing; it counts only if its outer header is one of ours.
 */

import { innerOfQuoted } from '../packet/decapsulate.ts';
import { Encapsulation, leastIpv6Mtu, overheadOf } from '../packet/encapsulate.ts';
import { Icmp, IcmpCode, IcmpType } from '../packet/icmp.ts';
import { Icmpv6Type } from '../packet/icmpv6.ts';
import { Ipv4, Ipv4Fragment } from '../packet/ipv4.ts';
import { destinationAt, Outcome, Packet, Protocol, sourceAt } from '../packet/packet.ts';
import { parseQuoted } from '../packet/parse.ts';
import type { DsrTables } from './dsr-tables.ts';

/** What a client is to be told. */
export const Complaint = { none: 0, tooBig: 1, unreachable: 2 } as const;

/** No router is believed that wants less of us: every host takes so much in one piece (RFC 791 §3.1). */
const leastIpv4Mtu = 576;

export class TunnelErrors {
  /** The client's packet, and the number of the VIP that it was for; of the last complaint. */
  readonly inner = new Packet();
  vip = 0;
  /** The longest packet that the client may send; of a complaint that its packet was too big. */
  mtu = 0;
  readonly #outer = new Packet();

  /** Reads an error that came to an address of ours. Answers with one of `Complaint`. */
  read(view: DataView, error: Packet, tables: DsrTables): number {
    const outer = this.#outer;
    if (parseQuoted(outer, view, error.payload, error.end) !== Outcome.ok) return Complaint.none;
    if (outer.version !== error.version) return Complaint.none;
    const endpoint = endpointOf(outer, tables);
    const at = endpoint === 0 ? -1 : innerOfQuoted(view, outer);
    if (at < 0) return Complaint.none;

    const mtu = mtuOf(view, error);
    if (mtu < 0) {
      return endsPath(view, error) && this.#isOfClient(view, at, tables)
        ? Complaint.unreachable
        : Complaint.none;
    }
    if (mtu === 0) return Complaint.none;
    const known = learn(outer, tables, mtu);
    if (!this.#isOfClient(view, at, tables) || !mayBeToldOfSize(view, this.inner)) return Complaint.none;
    const inner = known - overheadOf(tables.encapsulation[endpoint]!, outer.version);
    this.mtu = this.inner.version === 6 ? Math.max(inner, leastIpv6Mtu) : inner;
    return Complaint.tooBig;
  }

  /** Takes the inner packet apart, if there is enough of it and it was on its way to a VIP. */
  #isOfClient(view: DataView, at: number, tables: DsrTables): boolean {
    const { inner } = this;
    if (parseQuoted(inner, view, at, this.#outer.end) !== Outcome.ok) return false;
    this.vip = tables.vipAt(inner.words, destinationAt, inner.destinationPort, inner.protocol);
    return this.vip !== 0;
  }
}

/** The endpoint that we sent this outer packet to; 0 if it is none of ours. */
function endpointOf(outer: Packet, tables: DsrTables): number {
  let endpoint = tables.tunnelTo(outer.words, destinationAt);
  while (endpoint !== 0 && !isOurs(outer, tables, endpoint)) endpoint = tables.nextTunnel(endpoint);
  return endpoint;
}

function isOurs({ protocol, words }: Packet, tables: DsrTables, endpoint: number): boolean {
  const isGre = tables.encapsulation[endpoint] === Encapsulation.gre;
  return isGre === (protocol === Protocol.gre) && tables.isSourceTo(endpoint, words, sourceAt);
}

/** The MTU that an error reports, 0 if it reports one that means nothing; -1: it is about something else. */
function mtuOf(view: DataView, { version, icmpType, transport }: Packet): number {
  const rest = view.getUint32(transport + Icmp.rest);
  if (version === 6) return icmpType !== Icmpv6Type.packetTooBig ? -1 : rest > 0xffff ? 0 : rest;
  const code = view.getUint8(transport + Icmp.code);
  if (icmpType !== IcmpType.unreachable || code !== IcmpCode.fragmentationNeeded) return -1;
  return rest & 0xffff;
}

/** Whether an error that is not about size says that there is no way to the endpoint. */
function endsPath(view: DataView, { version, icmpType, transport }: Packet): boolean {
  if (version === 6) return icmpType === Icmpv6Type.unreachable || icmpType === Icmpv6Type.timeExceeded;
  if (icmpType === IcmpType.timeExceeded) return true;
  return (
    icmpType === IcmpType.unreachable && view.getUint8(transport + Icmp.code) !== IcmpCode.sourceRouteFailed
  );
}

/** Remembers a path's MTU for all endpoints that it leads to; answers with the MTU that is known now. */
function learn(outer: Packet, tables: DsrTables, reported: number): number {
  const mtu = Math.max(reported, outer.version === 4 ? leastIpv4Mtu : leastIpv6Mtu);
  let least = mtu;
  for (
    let endpoint = tables.tunnelTo(outer.words, destinationAt);
    endpoint !== 0;
    endpoint = tables.nextTunnel(endpoint)
  ) {
    if (tables.endpointMtu[endpoint]! > mtu) tables.endpointMtu[endpoint] = mtu;
    else least = Math.min(least, tables.endpointMtu[endpoint]!);
  }
  return least;
}

/** IPv4 senders that allow fragments need no telling: their packets will be cut up from here on. */
function mayBeToldOfSize(view: DataView, inner: Packet): boolean {
  if (inner.version === 6) return true;
  return (view.getUint16(inner.start + Ipv4.fragment) & Ipv4Fragment.dontFragment) !== 0;
}
