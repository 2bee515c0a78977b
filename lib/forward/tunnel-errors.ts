/**
 * ICMP errors that routers send about our tunnel packets, to the address that those came from:
 *
 *   │ IP │ ICMP │ outer header, as we wrote it │ GRE │ the client's packet, as far as it was quoted │
 *
 * What they say of the path is remembered for the endpoint, and what they mean for the client is told to it, if enough
 * is quoted to know who it is (RFC 2003 §4, RFC 2473 §8): its packet is too big, or its host cannot be reached.
 * Anybody may send such a thing; it counts only if its outer header is one of ours.
 */
import { copyBytes } from '../packet/bytes.ts';
import { innerOfQuoted } from '../packet/decapsulate.ts';
import { Encapsulation, leastIpv6Mtu } from '../packet/encapsulate.ts';
import { Icmp, IcmpCode, IcmpType } from '../packet/icmp.ts';
import { Icmpv6Type } from '../packet/icmpv6.ts';
import { Ipv4, Ipv4Fragment } from '../packet/ipv4.ts';
import { destinationAt, Fragment, Outcome, Packet, Protocol, sourceAt } from '../packet/packet.ts';
import { parseQuoted } from '../packet/parse.ts';
import type { DsrTables } from './dsr-tables.ts';
import type { Outboxes } from './outbox.ts';
import { Reason } from './reasons.ts';
import type { Replies } from './replies.ts';

/** No router is believed that wants less of us: every host takes so much in one piece (RFC 791 §3.1). */
const leastIpv4Mtu = 576;

/** The fields tell of the error that was passed on last. */
export class TunnelErrors {
  /** Number of the VIP that the client's packet was for. */
  vip = 0;
  /** Where the client's error begins and how long it is; if it was put in place of the router's. */
  start = 0;
  length = 0;
  readonly #replies: Replies;
  readonly #outboxes: Outboxes;
  readonly #outer = new Packet();
  /** The client's packet. */
  readonly #inner = new Packet();

  constructor(replies: Replies, outboxes: Outboxes) {
    this.#replies = replies;
    this.#outboxes = outboxes;
  }

  /** Turns an error that came to an address of ours into one to the client. Answers with the reason, or `notOurs`. */
  passOn(view: DataView, error: Packet, tables: DsrTables, nowMs: number): number {
    // What is left of it would follow to the machine, and mean nothing to it.
    if (error.fragment !== Fragment.none) return Reason.notOurs;
    if (!this.#tellClient(view, error, tables, nowMs)) return Reason.notOurs;
    const { version } = this.#inner;
    this.start = this.#replies.start;
    this.length = this.#replies.length;
    if (version === error.version) return Reason.errorSent;
    const outbox = version === 4 ? this.#outboxes.ipv4 : this.#outboxes.ipv6;
    const at = outbox.add(this.length);
    if (at < 0) return Reason.outboxFull;
    copyBytes(view, this.start, outbox.view, at, this.length);
    return Reason.sentApart;
  }

  /** Writes what an error means for the client, if it means anything that the client may be told. */
  #tellClient(view: DataView, error: Packet, tables: DsrTables, nowMs: number): boolean {
    const outer = this.#outer;
    const inner = this.#inner;
    if (parseQuoted(outer, view, error.payload, error.end) !== Outcome.ok) return false;
    if (outer.version !== error.version) return false;
    const endpoint = endpointOf(outer, tables);
    const at = endpoint === 0 ? -1 : innerOfQuoted(view, outer);
    if (at < 0) return false;

    const reported = mtuOf(view, error);
    if (reported < 0) {
      if (!endsPath(view, error) || !this.#isOfClient(view, at, tables)) return false;
      return this.#replies.hostUnreachable(view, inner, nowMs);
    }
    if (reported === 0) return false;
    const known = learn(outer, tables, reported);
    if (!this.#isOfClient(view, at, tables) || !mayBeToldOfSize(view, inner)) return false;
    const mtu = known - tables.overhead[endpoint]!;
    return this.#replies.tooBig(view, inner, inner.version === 6 ? Math.max(mtu, leastIpv6Mtu) : mtu, nowMs);
  }

  /** Takes the inner packet apart, if there is enough of it and it was on its way to a VIP. */
  #isOfClient(view: DataView, at: number, tables: DsrTables): boolean {
    const inner = this.#inner;
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
