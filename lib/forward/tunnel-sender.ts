/**
 * Sends packets to endpoints, which is all that direct server return does to them: the time to live goes down by one, and
 * an outer header is put in front. By what comes out:
 *
 *   of the family of the packet that came  ──▶ in its place, into the free bytes before it
 *   of the other family, or several        ──▶ the outbox of that family
 *   nothing, for a backend on the same link ──▶ the packet as it came, with a mark by which it is routed
 */
import { copyBytes } from '../packet/bytes.ts';
import { Encapsulation, leastIpv6Mtu, OuterHeader } from '../packet/encapsulate.ts';
import { fragmentRoom, writeFragment } from '../packet/fragment-ipv4.ts';
import { ipv6FragmentOverhead, writeIpv6Fragment } from '../packet/fragment-ipv6.ts';
import { Ipv4, Ipv4Fragment } from '../packet/ipv4.ts';
import { Ipv6 } from '../packet/ipv6.ts';
import { type Packet, Protocol } from '../packet/packet.ts';
import { setTimeToLive, timeToLiveOf } from '../packet/time-to-live.ts';
import type { DsrTables } from './dsr-tables.ts';
import type { Outbox, Outboxes } from './outbox.ts';
import { Reason } from './reasons.ts';

/** Longer than any header by a unit of data (RFC 791 §3.2). */
const leastIpv4Mtu = 68;

/** The fields tell of the packet that was sent last. */
export class TunnelSender {
  tables: DsrTables;
  /** Where it begins now, and how long it is; if it was `forwarded`. */
  start = 0;
  length = 0;
  /** If it was `marked`. */
  mark = 0;
  /** The longest packet that the tunnel takes; if it was `tooBig`. */
  mtu = 0;
  readonly #outboxes: Outboxes;
  readonly #header: OuterHeader;
  readonly #reassembled: boolean;
  /** Of the next IPv6 packet that is cut up. */
  #identification: number;

  /** See `DsrParts` for `identification` and `reassembled`. */
  constructor(tables: DsrTables, outboxes: Outboxes, identification: number, reassembled: boolean) {
    this.tables = tables;
    this.#outboxes = outboxes;
    this.#header = new OuterHeader(identification);
    this.#reassembled = reassembled;
    this.#identification = identification << 16;
  }

  /**
   * Sends a packet. Answers with `forwarded`, `sentApart` or `marked`; else with why not: `timeExceeded`, `tooBig`
   * (and then it is untouched) or `outboxFull`.
   */
  send(view: DataView, packet: Packet, endpoint: number, spread: number): number {
    const { tables } = this;
    const encapsulation = tables.encapsulation[endpoint]!;
    if (encapsulation === Encapsulation.l2) {
      this.mark = tables.mark[endpoint]!;
      return Reason.marked;
    }
    const timeToLive = timeToLiveOf(view, packet);
    if (timeToLive <= 1) return Reason.timeExceeded;
    const version = tables.outerVersion[endpoint]!;
    const overhead = tables.overhead[endpoint]!;
    const length = packet.end - packet.start;
    const outerMtu = tables.endpointMtu[endpoint]!;
    this.mtu = outerMtu - overhead;
    // What every path has to take is not refused; IPv4 under it may cut it up, and IPv6 is before it is sent.
    this.mtu = Math.max(this.mtu, packet.version === 4 ? leastIpv4Mtu : leastIpv6Mtu);
    const fits = length <= this.mtu;
    if (!fits && !mayBeCutUp(view, packet, this.#reassembled)) return Reason.tooBig;

    this.#aim(endpoint, spread);
    setTimeToLive(view, packet, timeToLive - 1);
    if (version === 6 && fits && overhead + length > outerMtu) {
      return this.#sendOuterInPieces(view, packet, outerMtu);
    }
    if (fits && version === packet.version) {
      this.start = this.#header.write(view, packet.start, length);
      this.length = packet.end - this.start;
      return Reason.forwarded;
    }
    const outbox = version === 4 ? this.#outboxes.ipv4 : this.#outboxes.ipv6;
    return fits
      ? this.#sendApart(view, packet, outbox, overhead)
      : this.#sendInPieces(view, packet, outbox, overhead);
  }

  #aim(endpoint: number, spread: number): void {
    const { tables } = this;
    const header = this.#header;
    const at = endpoint << 2;
    header.encapsulation = tables.encapsulation[endpoint]!;
    header.flowLabel = spread;
    header.sourceVariation = (tables.sourceWords[at + 3]! ^ spread) & tables.sourceMask[endpoint]!;
    header.lead(tables.outerVersion[endpoint]!, tables.sourceWords, at, tables.endpointWords, at);
  }

  #sendApart(view: DataView, packet: Packet, outbox: Outbox, overhead: number): number {
    const length = packet.end - packet.start;
    const at = outbox.add(overhead + length);
    if (at < 0) return Reason.outboxFull;
    copyBytes(view, packet.start, outbox.view, at + overhead, length);
    this.#header.write(outbox.view, at + overhead, length);
    return Reason.sentApart;
  }

  /** Cuts the inner packet up, so that the backend puts it together and not whoever ends the tunnel. */
  #sendInPieces(view: DataView, packet: Packet, outbox: Outbox, overhead: number): number {
    const { start, end, version } = packet;
    const headerLength = version === 4 ? packet.transport - start : Ipv6.headerLength;
    return this.#cutUp(view, version, start, headerLength, end, this.mtu, outbox, overhead);
  }

  /** Cuts the outer packet up, around an inner one that every path of IPv6 has to take (RFC 2473 §7.1). */
  #sendOuterInPieces(view: DataView, packet: Packet, mtu: number): number {
    const start = this.#header.write(view, packet.start, packet.end - packet.start);
    return this.#cutUp(view, 6, start, Ipv6.headerLength, packet.end, mtu, this.#outboxes.ipv6, 0);
  }

  /** Adds the fragments of a packet to an outbox, each with an outer header in front if there is to be one. */
  #cutUp(
    view: DataView,
    version: number,
    start: number,
    headerLength: number,
    end: number,
    mtu: number,
    outbox: Outbox,
    overhead: number,
  ): number {
    const before = outbox.count;
    const lead = version === 4 ? headerLength : ipv6FragmentOverhead;
    const room = fragmentRoom(mtu, lead);
    const dataLength = end - start - headerLength;
    const identification = version === 4 ? 0 : this.#identification++;
    for (let from = 0; from < dataLength; from += room) {
      const length = Math.min(room, dataLength - from);
      const at = outbox.add(overhead + lead + length);
      if (at < 0) {
        outbox.rewind(before);
        return Reason.outboxFull;
      }
      const inner = at + overhead;
      const isLast = from + length === dataLength;
      if (version === 4) writeFragment(view, start, headerLength, from, length, isLast, outbox.view, inner);
      else writeIpv6Fragment(view, start, from, length, isLast, identification, outbox.view, inner);
      if (overhead > 0) this.#header.write(outbox.view, inner, lead + length);
    }
    return Reason.sentApart;
  }
}

/** A datagram that the kernel put together has been cut up by its sender, in other places perhaps. */
function mayBeCutUp(view: DataView, packet: Packet, reassembled: boolean): boolean {
  if (packet.version === 6) {
    const isBare = packet.transport === packet.start + Ipv6.headerLength;
    return reassembled && packet.protocol === Protocol.udp && isBare;
  }
  return (view.getUint16(packet.start + Ipv4.fragment) & Ipv4Fragment.dontFragment) === 0;
}
