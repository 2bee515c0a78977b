/**
 * What becomes of one whole packet (or first fragment) in the NAT mode, and the rewriting of it.
 *
 *   ICMP? ──error of a flow──▶ translate · echo to a VIP ──▶ answer · else not ours
 *   known flow? ──yes──▶ backend down? ──no──▶ follow its state ─▶ translate
 *        └─no──▶ for a VIP, and may it begin a flow? ──yes──▶ pick ─▶ open ─▶ translate
 *
 * When in doubt a packet is dropped: a lost one is sent again, a misdirected one resets a connection.
 */
import { Direction, sameAddress } from '../conntrack/flow-key.ts';
import { Byte, byteShift } from '../conntrack/flow-rows.ts';
import { isOpeningSyn, isReplaceable } from '../conntrack/tcp-state.ts';
import { type FlowTracker, OpenFailure } from '../conntrack/tracker.ts';
import { familyOf } from '../packet/address.ts';
import { IcmpKind, icmpKindOf } from '../packet/icmp-kind.ts';
import { destinationAt, Packet, Protocol, sourceAt } from '../packet/packet.ts';
import { parsePacket } from '../packet/parse.ts';
import { rewriteAddresses } from '../packet/rewrite.ts';
import { TcpFlag } from '../packet/tcp.ts';
import { isAnswerable, refuseTransport } from './admission.ts';
import { ownPacket, PacketFlag } from './batch.ts';
import type { Counters } from './counters.ts';
import type { Decision, Pick } from './decision.ts';
import { decideEcho } from './echo.ts';
import { readFlowError, translateIcmpError } from './icmp-error.ts';
import { Reason } from './reasons.ts';
import { Replies } from './replies.ts';
import type { ForwardingTables } from './tables.ts';
import { Translation } from './translation.ts';

export class NatDecision implements Decision<ForwardingTables> {
  vip = 0;
  start = 0;
  length = 0;
  readonly mark = 0;
  readonly #tracker: FlowTracker;
  readonly #counters: Counters;
  readonly #pick: Pick;
  readonly #quoted = new Packet();
  readonly #translation: Translation;
  readonly #replies = new Replies();
  #tables: ForwardingTables;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #packet = this.#quoted;
  #hash = 0;
  #flags = 0;
  #nowMs = 0;

  constructor(tables: ForwardingTables, tracker: FlowTracker, counters: Counters, pick: Pick) {
    this.#tables = tables;
    this.#tracker = tracker;
    this.#counters = counters;
    this.#pick = pick;
    this.#translation = new Translation(tracker.rows);
  }

  use(tables: ForwardingTables): void {
    this.#tables = tables;
    this.#tracker.index.book = tables;
  }

  decide(view: DataView, packet: Packet, hash: number, flags: number, nowMs: number): number {
    this.#view = view;
    this.#packet = packet;
    this.#hash = hash;
    this.#flags = flags;
    this.#nowMs = nowMs;
    this.#place(packet);
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

  /** The packet carries its new addresses by now. */
  remember(kept: Int32Array): void {
    parsePacket(this.#quoted, this.#view, this.start, this.start + this.length);
    kept.set(this.#quoted.words);
  }

  repeat(view: DataView, packet: Packet, kept: Int32Array, at: number): number {
    this.#place(packet);
    rewriteAddresses(view, packet, kept, at, kept, at + 4);
    return Reason.forwarded;
  }

  /** It stays where it is. */
  #place(packet: Packet): void {
    this.start = packet.start;
    this.length = packet.end - packet.start;
  }

  #decideFlow(): number {
    const packet = this.#packet;
    const found = this.#tracker.find(packet, this.#hash);
    if (found === 0) return this.#decideOpening(0);
    const flow = found >> 1;
    const direction = found & 1;
    const { rows } = this.#tracker;
    this.vip = rows.vipOf(flow);
    const refused = refuseTransport(this.#view, packet, this.#flags);
    if (refused !== 0) return refused;
    const down = this.#tables.endpointDown[rows.endpointOf(flow)] === 1;
    if (packet.protocol === Protocol.tcp) {
      const opening = direction === Direction.original && isOpeningSyn(packet.tcpFlags);
      if (opening && (down || isReplaceable(rows.stateOf(flow)))) return this.#decideOpening(flow);
      if (down && (packet.tcpFlags & TcpFlag.rst) === 0) return this.#abandon(flow);
    } else if (down && direction === Direction.original) {
      const endpoint = this.#pick(this.vip, packet);
      if (endpoint === 0) return this.#refuseClient();
      if (endpoint !== rows.endpointOf(flow)) return this.#open(endpoint, flow);
    }
    this.#tracker.follow(flow, direction, packet, this.#view);
    if ((this.#flags & ownPacket) !== 0) rows.bytes[(flow << byteShift) + Byte.ownEnds]! |= 1 << direction;
    return this.#forward(flow, direction);
  }

  /** Of a packet that belongs to no flow, or begins the successor of `former`: it may open one. */
  #decideOpening(former: number): number {
    const packet = this.#packet;
    const { words, destinationPort, protocol } = packet;
    this.vip = this.#tables.vipAt(words, destinationAt, destinationPort, protocol);
    if (this.vip === 0) {
      return this.#tables.isSnatPort(words, destinationAt, destinationPort) ? Reason.noFlow : Reason.notOurs;
    }
    const refused = refuseTransport(this.#view, packet, this.#flags);
    if (refused !== 0) return refused;
    if (protocol === Protocol.tcp && !isOpeningSyn(packet.tcpFlags)) return Reason.noFlow;
    if (!isAnswerable(packet)) return Reason.badSource;
    const endpoint = this.#pick(this.vip, packet);
    return endpoint === 0 ? this.#refuseClient() : this.#open(endpoint, former);
  }

  #open(endpoint: number, former: number): number {
    const packet = this.#packet;
    const tables = this.#tables;
    const vip = this.vip;
    if (familyOf(tables.endpointWords, endpoint << 2) !== packet.version) return Reason.noBackend;
    let snats = tables.snatsFor(vip, endpoint);
    if (snats.length === 0) {
      if (tables.vipSnat[vip] === 1) return Reason.portsExhausted;
      if (sameAddress(packet.words, sourceAt, tables.endpointWords, endpoint << 2)) {
        snats = tables.snatsOf(endpoint);
        if (snats.length === 0) return Reason.hairpinNeedsSnat;
      }
    }
    const flow = this.#tracker.open(packet, this.#view, vip, endpoint, snats, former);
    if (flow < 0) return reasonOfFailure(flow);
    this.#tracker.rows.bytes[(flow << byteShift) + Byte.ownEnds] = (this.#flags & ownPacket) !== 0 ? 1 : 0;
    this.#counters.opened(vip, endpoint);
    return this.#forward(flow, Direction.original);
  }

  #forward(flow: number, direction: number): number {
    const { rows } = this.#tracker;
    const packet = this.#packet;
    this.#counters.packet(this.vip, rows.endpointOf(flow), direction, packet.end - packet.start);
    this.#translation.of(rows, this.#tables, flow, direction);
    this.#translation.apply(this.#view, packet, (this.#flags & PacketFlag.checksumNotReady) !== 0);
    return (this.#flags & PacketFlag.gso) === 0 ? Reason.forwarded : this.#destinationOf(flow, direction);
  }

  /** Where a super-packet goes: on, or to this machine itself. */
  #destinationOf(flow: number, direction: number): number {
    const receiver = 1 << (1 - direction);
    const own = (this.#tracker.rows.bytes[(flow << byteShift) + Byte.ownEnds]! & receiver) !== 0;
    // No checksum helps datagrams there: this machine cuts them up for its sockets, and fails with what was rewritten.
    return own && this.#packet.protocol === Protocol.tcp ? Reason.delivered : Reason.forwarded;
  }

  /** A TCP packet of a flow whose backend is down, from either side. */
  #abandon(flow: number): number {
    if (this.#tables.vipResetWhenDown[this.vip] === 0) return Reason.backendDown;
    if (!this.#replies.reset(this.#view, this.#packet, this.#flags)) return Reason.backendDown;
    this.length = this.#replies.length;
    this.#tracker.abort(flow);
    return Reason.resetSent;
  }

  /** No backend takes what the client sends. */
  #refuseClient(): number {
    if (this.#tables.vipRejectWhenNone[this.vip] === 0) return Reason.noBackend;
    const reason = this.#replies.refuse(this.#view, this.#packet, this.#flags, this.#nowMs);
    if (reason !== Reason.noBackend) {
      this.start = this.#replies.start;
      this.length = this.#replies.length;
    }
    return reason;
  }

  #decideIcmp(): number {
    const isError = icmpKindOf(this.#packet) === IcmpKind.error;
    return isError ? this.#decideError() : decideEcho(this.#view, this.#packet, this.#tables);
  }

  /** An error is ours if it quotes a packet of a flow, and comes to where that packet came from. */
  #decideError(): number {
    const error = this.#packet;
    const quoted = this.#quoted;
    const { index, rows } = this.#tracker;
    if (!readFlowError(this.#view, error, quoted)) return Reason.notOurs;
    // The packet it is about went the other way: its mirror image has the key of this direction.
    const { words, sourcePort, destinationPort, protocol } = quoted;
    const hash = index.hashOf(words, destinationAt, sourceAt, destinationPort, sourcePort, protocol);
    const found = index.find(hash, words, destinationAt, sourceAt, destinationPort, sourcePort, protocol);
    if (found === 0) return Reason.notOurs;
    const flow = found >> 1;
    const direction = found & 1;
    this.vip = rows.vipOf(flow);
    this.#translation.of(rows, this.#tables, flow, direction);
    const keepSource = direction === Direction.original && rows.snatOf(flow) === 0;
    translateIcmpError(this.#view, error, quoted, this.#translation, keepSource);
    return Reason.forwarded;
  }
}

function reasonOfFailure(failure: number): number {
  switch (failure) {
    case OpenFailure.halfOpenFull:
      return Reason.halfOpenFull;
    case OpenFailure.tableFull:
      return Reason.tableFull;
    case OpenFailure.portsExhausted:
      return Reason.portsExhausted;
    default:
      return Reason.keyTaken;
  }
}
