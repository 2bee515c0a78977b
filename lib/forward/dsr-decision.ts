/**
 * What becomes of one whole packet (or first fragment) with direct server return. Only clients' packets come by here.
 *
 *   ICMP? ──error about an answer──▶ to the backend of its flow · about a tunnel packet ──▶ to the client
 *        └──echo to a VIP ──▶ answered · else not ours
 *   known flow? ──yes──▶ backend down? ──no──▶ follow its state ─▶ send
 *        │                    └─yes─▶ place anew
 *        └─no──▶ for a VIP? ─▶ a check of our own ──▶ to the endpoint that it is about
 *                         └─▶ place by policy, or in mid-flow by hash ─▶ remember if there is room ─▶ send
 *
 * No request is refused for want of room: what is not remembered is placed by hash, the same way each time.
 */
import { Direction, sameAddress } from '../conntrack/flow-key.ts';
import { Count } from '../conntrack/flow-rows.ts';
import { isOpeningSyn, isReplaceable } from '../conntrack/tcp-state.ts';
import type { TokenBuckets } from '../conntrack/token-buckets.ts';
import type { FlowTracker } from '../conntrack/tracker.ts';
import { IcmpKind, icmpKindOf } from '../packet/icmp-kind.ts';
import { destinationAt, Packet, Protocol, sourceAt, turnAround } from '../packet/packet.ts';
import { rewriteAddresses } from '../packet/rewrite.ts';
import { TcpFlag } from '../packet/tcp.ts';
import { isAnswerable, refuseTransport } from './admission.ts';
import type { Counters } from './counters.ts';
import type { Decision, Pick } from './decision.ts';
import type { DsrTables } from './dsr-tables.ts';
import { decideEcho } from './echo.ts';
import { readFlowError } from './icmp-error.ts';
import type { Outboxes } from './outbox.ts';
import { Reason } from './reasons.ts';
import { Replies } from './replies.ts';
import { spreadOf } from './spread.ts';
import { TunnelErrors } from './tunnel-errors.ts';
import { TunnelSender } from './tunnel-sender.ts';

/** What decides over packets with direct server return, beside the tables. */
export interface DsrParts {
  /** Partial: of the client's half alone. */
  readonly tracker: FlowTracker;
  readonly counters: Counters;
  /** The VIP's policy, for new flows. */
  readonly pick: Pick;
  /** The VIP's hash table, for packets whose flow is not remembered: the same flow always gets the same endpoint. */
  readonly place: Pick;
  /** One bucket: how many flows may be remembered anew. Beyond that they are placed by hash. */
  readonly newFlows: TokenBuckets;
  /** After so much silence a packet of UDP begins a flow. */
  readonly udpTimeoutMs: number;
  readonly outboxes: Outboxes;
  /** Where identifications of packets that may be cut up begin: 16 bits, best others for each worker. */
  readonly identification: number;
  /** Whether the kernel puts datagrams together that come in fragments, so that whole ones may have been no such. */
  readonly reassembled: boolean;
}

const noSnats = new Uint8Array(0);
/** What is kept of a datagram: the endpoint that its fragments go to, 0 if they are turned around, and the spread. */
const Kept = { endpoint: 0, spread: 1 } as const;

export class DsrDecision implements Decision<DsrTables> {
  vip = 0;
  start = 0;
  length = 0;
  mark = 0;
  readonly #parts: DsrParts;
  readonly #tracker: FlowTracker;
  readonly #counters: Counters;
  readonly #sender: TunnelSender;
  readonly #replies = new Replies();
  readonly #tunnelErrors: TunnelErrors;
  readonly #quoted = new Packet();
  #tables: DsrTables;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #packet = this.#quoted;
  #hash = 0;
  #flags = 0;
  #nowMs = 0;
  /** Where the packet was sent; 0: nowhere. */
  #endpoint = 0;
  #spread = 0;
  /** Until then a UDP packet may be of a flow that was placed by hash and not remembered, and goes by hash too. */
  #udpByHashUntilMs = Number.NEGATIVE_INFINITY;

  constructor(tables: DsrTables, parts: DsrParts) {
    this.#tables = tables;
    this.#parts = parts;
    this.#tracker = parts.tracker;
    this.#counters = parts.counters;
    this.#sender = new TunnelSender(tables, parts.outboxes, parts.identification, parts.reassembled);
    this.#tunnelErrors = new TunnelErrors(this.#replies, parts.outboxes);
  }

  use(tables: DsrTables): void {
    this.#tables = tables;
    this.#sender.tables = tables;
    this.#tracker.index.book = tables;
  }

  decide(view: DataView, packet: Packet, hash: number, flags: number, nowMs: number): number {
    this.#take(view, packet, nowMs);
    this.#hash = hash;
    this.#flags = flags;
    switch (packet.protocol) {
      case Protocol.tcp:
      case Protocol.udp:
        return this.#decideFlow();
      case Protocol.icmp:
      case Protocol.icmpv6:
        return this.#decideIcmp();
      default:
        return Reason.notOurs;
    }
  }

  remember(kept: Int32Array): void {
    kept[Kept.endpoint] = this.#endpoint;
    kept[Kept.spread] = this.#spread;
  }

  repeat(view: DataView, packet: Packet, kept: Int32Array, at: number, nowMs: number): number {
    this.#take(view, packet, nowMs);
    const endpoint = kept[at + Kept.endpoint]!;
    if (endpoint !== 0) return this.#send(endpoint, kept[at + Kept.spread]!);
    rewriteAddresses(view, packet, packet.words, destinationAt, packet.words, sourceAt);
    return Reason.forwarded;
  }

  #take(view: DataView, packet: Packet, nowMs: number): void {
    this.#view = view;
    this.#packet = packet;
    this.#nowMs = nowMs;
    this.#endpoint = 0;
    this.start = packet.start;
    this.length = packet.end - packet.start;
  }

  #decideFlow(): number {
    const packet = this.#packet;
    const tracker = this.#tracker;
    const found = tracker.find(packet, this.#hash);
    if (found === 0) return this.#decideUnknown();
    const flow = found >> 1;
    this.vip = tracker.rows.vipOf(flow);
    const refused = refuseTransport(this.#view, packet, this.#flags);
    if (refused !== 0) return refused;
    const endpoint = tracker.rows.endpointOf(flow);
    const down = this.#tables.endpointDown[endpoint] === 1;
    const opening = packet.protocol === Protocol.tcp && isOpeningSyn(packet.tcpFlags);
    if (opening && (down || isReplaceable(tracker.rows.stateOf(flow)))) {
      tracker.close(flow);
      return this.#decideUnknown();
    }
    if (down) {
      const other = this.#parts.place(this.vip, packet);
      if (other === 0) return this.#refuseClient();
      if (other !== endpoint) {
        tracker.close(flow);
        return this.#begin(false);
      }
    }
    tracker.follow(flow, Direction.original, packet, this.#view);
    return this.#forward(endpoint);
  }

  /** Of a packet whose flow is not remembered. */
  #decideUnknown(): number {
    const packet = this.#packet;
    const { words, sourcePort, destinationPort, protocol } = packet;
    this.vip = this.#tables.vipAt(words, destinationAt, destinationPort, protocol);
    if (this.vip === 0) return Reason.notOurs;
    const refused = refuseTransport(this.#view, packet, this.#flags);
    if (refused !== 0) return refused;
    // A client that has the VIP for its own address: whoever answers the VIP would answer itself.
    const isItself = sameAddress(words, sourceAt, words, destinationAt);
    if (isItself || !isAnswerable(packet)) return Reason.badSource;
    const probed = this.#tables.probedFrom(words, sourceAt, sourcePort);
    if (probed === 0) return Reason.noBackend;
    if (probed > 0) return this.#sendFlow(probed, packet);
    return this.#begin(protocol !== Protocol.tcp || isOpeningSyn(packet.tcpFlags));
  }

  /**
   * Of a packet whose flow is not remembered: begins to, if it can. Only what opens a flow may go where the policy likes;
   * the rest has been somewhere already, and goes where the hash says.
   */
  #begin(opening: boolean): number {
    const { pick, place, newFlows, udpTimeoutMs } = this.#parts;
    const packet = this.#packet;
    const isTcp = packet.protocol === Protocol.tcp;
    const over = isTcp && (packet.tcpFlags & TcpFlag.rst) !== 0;
    const mayRemember = !over && newFlows.take(0, this.#nowMs);
    const isFirst = opening && (isTcp || this.#nowMs >= this.#udpByHashUntilMs);
    const endpoint = mayRemember && isFirst ? pick(this.vip, packet) : place(this.vip, packet);
    if (endpoint === 0) return this.#refuseClient();
    if (mayRemember && this.#tracker.open(packet, this.#view, this.vip, endpoint, noSnats, 0) >= 0) {
      this.#counters.opened(this.vip, endpoint);
      return this.#forward(endpoint);
    }
    this.#tracker.rows.counts[Count.unremembered]!++;
    if (!isTcp) this.#udpByHashUntilMs = this.#nowMs + udpTimeoutMs;
    return this.#forward(mayRemember && isFirst ? place(this.vip, packet) : endpoint);
  }

  #forward(endpoint: number): number {
    const packet = this.#packet;
    this.#counters.packet(this.vip, endpoint, Direction.original, packet.end - packet.start);
    return this.#sendFlow(endpoint, packet);
  }

  /** Sends the packet as one of the flow that `packet` belongs to. */
  #sendFlow(endpoint: number, packet: Packet): number {
    return this.#send(endpoint, this.#tables.varies[endpoint] === 1 ? spreadOf(packet) : 0);
  }

  #send(endpoint: number, spread: number): number {
    const sender = this.#sender;
    const packet = this.#packet;
    this.#endpoint = endpoint;
    this.#spread = spread;
    const reason = sender.send(this.#view, packet, endpoint, spread);
    switch (reason) {
      case Reason.forwarded:
        this.start = sender.start;
        this.length = sender.length;
        return reason;
      case Reason.marked:
        this.mark = sender.mark;
        return reason;
      case Reason.tooBig:
        return this.#replied(this.#replies.tooBig(this.#view, packet, sender.mtu, this.#nowMs))
          ? Reason.tooBigSent
          : reason;
      case Reason.timeExceeded:
        return this.#replied(this.#replies.timeExceeded(this.#view, packet, this.#nowMs))
          ? Reason.timeExceededSent
          : reason;
      default:
        return reason;
    }
  }

  #refuseClient(): number {
    if (this.#tables.vipRejectWhenNone[this.vip] === 0) return Reason.noBackend;
    const reason = this.#replies.refuse(this.#view, this.#packet, this.#flags, this.#nowMs);
    this.#replied(reason !== Reason.noBackend);
    return reason;
  }

  /** Puts the reply in place of the packet, if there is one. */
  #replied(isThere: boolean): boolean {
    if (isThere) {
      this.start = this.#replies.start;
      this.length = this.#replies.length;
    }
    return isThere;
  }

  #decideIcmp(): number {
    const isError = icmpKindOf(this.#packet) === IcmpKind.error;
    return isError ? this.#decideError() : decideEcho(this.#view, this.#packet, this.#tables);
  }

  /** About an answer that a backend sent in the VIP's name: it goes to that backend, as the client's packets do. */
  #decideError(): number {
    const quoted = this.#quoted;
    if (!readFlowError(this.#view, this.#packet, quoted)) return this.#decideTunnelError();
    turnAround(quoted);
    const { words, destinationPort, protocol } = quoted;
    this.vip = this.#tables.vipAt(words, destinationAt, destinationPort, protocol);
    if (this.vip === 0) return Reason.notOurs;
    const flow = this.#tracker.find(quoted, this.#tracker.hashOf(quoted)) >> 1;
    const known = flow === 0 ? 0 : this.#tracker.rows.endpointOf(flow);
    const lost = known === 0 || this.#tables.endpointDown[known] === 1;
    const endpoint = lost ? this.#parts.place(this.vip, quoted) : known;
    return endpoint === 0 ? Reason.noBackend : this.#sendFlow(endpoint, quoted);
  }

  /** About a packet of ours on its way to a backend: it goes to the client. */
  #decideTunnelError(): number {
    const errors = this.#tunnelErrors;
    const reason = errors.passOn(this.#view, this.#packet, this.#tables, this.#nowMs);
    if (reason !== Reason.notOurs) this.vip = errors.vip;
    if (reason === Reason.errorSent) {
      this.start = errors.start;
      this.length = errors.length;
    }
    return reason;
  }
}
