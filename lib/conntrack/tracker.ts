/**
 * The life of flows: opened, followed packet by packet, and ended by silence, by a successor or to make room.
 * Nothing here allocates or throws once the tracker stands; time is whatever `advance` was told last.
 *
 * Memory is bounded by the number of rows, and pressure falls on the unproven: a newcomer may take the place of a
 * flow that is over, or of the oldest that is half-open, but never of a live one.
 *
 * Tracking is full where both directions pass (NAT), and partial where answers go another way (direct server return):
 * then a flow has one key and no port of ours, and its state follows from what the client sends.
 */
import { type Packet, Protocol } from '../packet/packet.ts';
import type { AddressBook } from './address-book.ts';
import { copyAddress, Direction } from './flow-key.ts';
import { FlowRoster } from './flow-roster.ts';
import {
  Byte,
  byteShift,
  Count,
  FlowRows,
  type FlowTableShape,
  Half,
  halfShift,
  tickMs,
  Word,
  wordShift,
} from './flow-rows.ts';
import { FlowTimers, notDue } from './flow-timers.ts';
import { addPacket, clearTraffic } from './flow-traffic.ts';
import { type HashKey, TupleHash } from './half-siphash.ts';
import { KeyIndex } from './key-index.ts';
import { firstPartialState, nextPartialState } from './partial-state.ts';
import type { PortPool } from './port-pool.ts';
import { classOfState, FlowClass, FlowState, type FlowTimeouts } from './states.ts';
import { beginTcp, followTcp } from './tcp-sequence.ts';

export interface TrackerOptions {
  readonly shape: FlowTableShape;
  /** The secret of the flow table's hash. */
  readonly key: HashKey;
  readonly timeouts: FlowTimeouts;
  /** Half-open flows at most. */
  readonly halfOpenQuota: number;
  /** A half-open flow is safe from newcomers for so long. */
  readonly halfOpenGraceMs: number;
}

/** Why `open` opened nothing. */
export const OpenFailure = {
  halfOpenFull: -1,
  tableFull: -2,
  portsExhausted: -3,
  /** Without SNAT: this client's port already talks to this backend through another VIP. */
  keyTaken: -4,
} as const;

/** How many ports are asked whether the flow that holds them is over, when all are taken. */
const reclaimAttempts = 64;
/** How many half-open flows are looked at for one that may go. */
const evictionAttempts = 4;

export class FlowTracker {
  readonly rows: FlowRows;
  readonly index: KeyIndex;
  /** None in partial tracking. */
  readonly #ports: PortPool | undefined;
  readonly #options: TrackerOptions;
  readonly #timers: FlowTimers;
  readonly #roster: FlowRoster;
  #nowTick: number;

  /**
   * Takes over the flows of a buffer of `flowBufferBytes`: none if it is fresh, else those that another tracker
   * left behind, whatever it was doing at the time. `ports` must be fresh; without them tracking is partial.
   */
  constructor(
    buffer: SharedArrayBuffer,
    options: TrackerOptions,
    book: AddressBook,
    ports: PortPool | undefined,
    nowMs: number,
  ) {
    const rows = new FlowRows(buffer, options.shape);
    this.rows = rows;
    this.index = new KeyIndex(rows, new TupleHash(options.key), book, ports !== undefined);
    this.#ports = ports;
    this.#options = options;
    this.#nowTick = Math.floor(nowMs / tickMs);
    this.#timers = new FlowTimers(rows, options.timeouts, this.#nowTick);
    this.#roster = new FlowRoster(rows, this.#timers);
    this.#adopt();
  }

  /**
   * Moves time on and ends flows that were silent for too long, looking at `budget` of them at most. Answers with
   * whether there may be more of them.
   */
  advance(nowMs: number, budget: number): boolean {
    this.#nowTick = Math.floor(nowMs / tickMs);
    for (let left = budget; left > 0; left--) {
      const flow = this.#timers.take(this.#nowTick);
      if (flow === 0) return false;
      if (flow === notDue) continue;
      this.rows.counts[Count.expired]!++;
      this.#free(flow);
    }
    return true;
  }

  /** The hash by which a TCP or UDP packet's flow is found. */
  hashOf(packet: Packet): number {
    return this.index.hashOf(packet.words, 0, 4, packet.sourcePort, packet.destinationPort, packet.protocol);
  }

  /** The flow that a packet belongs to, as row × 2 + `Direction`; 0 if there is none. */
  find(packet: Packet, hash: number): number {
    const { words, sourcePort, destinationPort, protocol } = packet;
    return this.index.find(hash, words, 0, 4, sourcePort, destinationPort, protocol);
  }

  /**
   * Opens a flow for a packet from a client to `vip`, towards `endpoint`. `snats` are the numbers of the SNAT
   * addresses to choose from; none keeps the client's address. Answers with the row or an `OpenFailure`.
   *
   * `former` is a flow of the same client that ends by this, or 0. The source that it had is kept if the backend is
   * the same: that may still remember the connection (TIME-WAIT), and takes a new one only from somebody whose
   * sequence numbers and timestamps go on from there (RFC 6191 §2), as those of the same client's port do.
   */
  open(
    packet: Packet,
    view: DataView,
    vip: number,
    endpoint: number,
    snats: Uint8Array,
    former: number,
  ): number {
    const { rows } = this;
    let keptSnat = 0;
    let keptPort = 0;
    if (former !== 0) {
      if (rows.endpointOf(former) === endpoint) {
        keptSnat = rows.snatOf(former);
        keptPort = rows.snatPortOf(former);
      }
      this.close(former);
    }
    const room = this.#makeRoom();
    if (room !== 0) return room;
    const flow = this.#roster.take();
    const half = flow << halfShift;
    copyAddress(packet.words, 0, rows.words, (flow << wordShift) + Word.client);
    rows.halves[half + Half.clientPort] = packet.sourcePort;
    rows.halves[half + Half.vip] = vip;
    rows.halves[half + Half.endpoint] = endpoint;
    rows.halves[half + Half.snatPort] = packet.sourcePort;
    rows.bytes[(flow << byteShift) + Byte.snat] = 0;
    if (snats.length > 0) {
      const isKept = snats.includes(keptSnat) && this.#ports?.claim(endpoint, keptSnat, keptPort) === true;
      if (isKept) this.#useSource(flow, keptSnat, keptPort);
      else if (!this.#chooseSource(flow, packet, endpoint, snats)) {
        this.#roster.giveBack(flow);
        return OpenFailure.portsExhausted;
      }
    }
    if (!this.index.add(flow)) {
      this.#releasePort(flow);
      this.#roster.giveBack(flow);
      return OpenFailure.keyTaken;
    }
    clearTraffic(rows, flow);
    rows.created[flow] = this.#nowTick;
    rows.words[(flow << wordShift) + Word.lastSeen] = this.#nowTick;
    rows.counts[Count.opened]!++;
    addPacket(rows, flow, Direction.original, packet.end - packet.start);
    this.#roster.enter(flow, this.#begin(flow, packet, view));
    return flow;
  }

  /** Takes note of a packet of a flow, in `direction`. */
  follow(flow: number, direction: number, packet: Packet, view: DataView): void {
    const { rows } = this;
    rows.words[(flow << wordShift) + Word.lastSeen] = this.#nowTick;
    addPacket(rows, flow, direction, packet.end - packet.start);
    const state = rows.bytes[(flow << byteShift) + Byte.state]!;
    if (packet.protocol === Protocol.tcp) {
      const next =
        this.#ports === undefined
          ? nextPartialState(state, packet.tcpFlags)
          : followTcp(rows, flow, state, direction, packet, view);
      if (next !== state) this.#roster.move(flow, next);
    } else if (state === FlowState.udpNew) {
      this.#roster.move(flow, FlowState.udpStream);
    }
  }

  /** Takes note that both ends were, or will be, told that a TCP flow is over. */
  abort(flow: number): void {
    this.#roster.move(flow, FlowState.reset);
  }

  /** Ends a flow at once. Both keys, the port and the row are free again. */
  close(flow: number): void {
    this.#timers.disarm(flow);
    this.#free(flow);
  }

  /** Takes note of the packet that opens a flow; answers with the state after it. */
  #begin(flow: number, packet: Packet, view: DataView): number {
    if (packet.protocol !== Protocol.tcp) return FlowState.udpNew;
    if (this.#ports === undefined) return firstPartialState(packet.tcpFlags);
    beginTcp(this.rows, flow, packet, view);
    return FlowState.synSent;
  }

  /** 0 if there is room for one more half-open flow, if need be because another was ended; else why not. */
  #makeRoom(): number {
    if (this.#roster.count(FlowClass.halfOpen) >= this.#options.halfOpenQuota && !this.#evictHalfOpen()) {
      return OpenFailure.halfOpenFull;
    }
    if (!this.#roster.isFull) return 0;
    const over = this.#timers.soonest(FlowClass.closing);
    if (over !== 0) this.#evict(over);
    else if (!this.#evictHalfOpen()) return OpenFailure.tableFull;
    return 0;
  }

  /** Ends the half-open flow that is due soonest, unless it is too young. */
  #evictHalfOpen(): boolean {
    for (let attempt = 0; attempt < evictionAttempts; attempt++) {
      const flow = this.#timers.soonest(FlowClass.halfOpen);
      if (flow === 0) return false;
      if (this.#mayEvict(flow)) {
        this.#evict(flow);
        return true;
      }
      // A packet has put it off since it was armed: to where it belongs, and on to the next.
      this.#timers.disarm(flow);
      this.#timers.arm(flow);
    }
    return false;
  }

  #mayEvict(flow: number): boolean {
    const flowClass = classOfState[this.rows.stateOf(flow)]!;
    if (flowClass !== FlowClass.halfOpen) return flowClass === FlowClass.closing;
    return (this.#nowTick - this.rows.lastSeenOf(flow)) * tickMs >= this.#options.halfOpenGraceMs;
  }

  #evict(flow: number): void {
    this.rows.counts[Count.evicted]!++;
    this.close(flow);
  }

  /** Finds a SNAT address with a port to spare, beginning with the one this client always gets. */
  #chooseSource(flow: number, packet: Packet, endpoint: number, snats: Uint8Array): boolean {
    const ports = this.#ports;
    if (ports === undefined) return false;
    const favourite = (packet.words[3]! >>> 0) % snats.length;
    for (let turn = 0; turn < snats.length; turn++) {
      const snat = snats[(favourite + turn) % snats.length]!;
      let port = ports.take(endpoint, snat);
      if (port === 0 && this.#reclaimPort(ports, endpoint, snat, packet.protocol)) {
        port = ports.take(endpoint, snat);
      }
      if (port !== 0) {
        this.#useSource(flow, snat, port);
        return true;
      }
    }
    return false;
  }

  #useSource(flow: number, snat: number, port: number): void {
    this.rows.bytes[(flow << byteShift) + Byte.snat] = snat;
    this.rows.halves[(flow << halfShift) + Half.snatPort] = port;
  }

  /** Ends a flow that holds a port of this pair and has no more use for it; those that had it longest come first. */
  #reclaimPort(ports: PortPool, endpoint: number, snat: number, protocol: number): boolean {
    for (let distance = 0; distance < reclaimAttempts; distance++) {
      const port = ports.peek(endpoint, snat, distance);
      const flow = this.index.findAnswer(endpoint, snat, port, protocol);
      if (flow !== 0 && this.#mayEvict(flow)) {
        this.#evict(flow);
        return true;
      }
    }
    return false;
  }

  #releasePort(flow: number): void {
    const snat = this.rows.snatOf(flow);
    if (snat !== 0) this.#ports?.release(this.rows.endpointOf(flow), snat, this.rows.snatPortOf(flow));
  }

  /** Gives back everything that a flow outside the wheels holds. */
  #free(flow: number): void {
    this.index.remove(flow);
    this.#releasePort(flow);
    this.#roster.leave(flow);
  }

  /** Builds everything that follows from the rows: index, ports, wheels, free rows and counts. */
  #adopt(): void {
    const { rows } = this;
    this.index.clear();
    for (let flow = rows.capacity - 1; flow >= 1; flow--) {
      const state = rows.stateOf(flow);
      if (state !== FlowState.free && this.index.add(flow)) {
        const snat = rows.snatOf(flow);
        if (snat !== 0) this.#ports?.claim(rows.endpointOf(flow), snat, rows.snatPortOf(flow));
        this.#roster.enter(flow, state);
      } else {
        this.#roster.giveBack(flow);
      }
    }
  }
}
