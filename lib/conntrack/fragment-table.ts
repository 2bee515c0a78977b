/**
 * What becomes of the later fragments of a datagram, which carry no ports: whatever became of the first.
 *
 *   set = hash mod sets      │ way 0 │ way 1 │ … │ way 7 │     one datagram each
 *   a datagram:  source, destination, protocol, identification  →  decision, words kept for it, ranges seen
 *
 * A set that is full gives up the datagram that was silent longest, so the table is bounded and never refuses.
 * Ranges are kept to see overlaps, which no honest sender makes (RFC 5722; RFC 1858 and 3128 for IPv4).
 */
import { destinationAt, type Packet, sourceAt } from '../packet/packet.ts';
import { copyAddress, sameAddress } from './flow-key.ts';
import type { TupleHash } from './half-siphash.ts';

/** What is done with the later fragments of a datagram; `repeat` is whatever was done to the first. */
export const FragmentDecision = { unknown: 0, repeat: 1, accept: 2, drop: 3 } as const;

/** What a fragment is among those of its datagram that came before. */
export const FragmentFit = { fresh: 0, duplicate: 1, overlap: 2, tooMany: 3 } as const;

/** Words of a datagram for its user to say what was done to the first fragment. */
export const keptWords = 8;

const ways = 8;
/** Fragments of one datagram at most: 64 KiB over links of 576 bytes need 119. */
const rangesPerDatagram = 128;

export class FragmentTable {
  /** `keptWords` by entry; only of those that are repeated. */
  readonly kept: Int32Array;
  readonly #hash: TupleHash;
  readonly #lifeMs: number;
  readonly #setMask: number;
  readonly #words: Int32Array;
  readonly #id: Int32Array;
  readonly #protocol: Uint8Array;
  readonly #lastSeenMs: Float64Array;
  readonly #decision: Uint8Array;
  /** First and last unit of eight bytes of every fragment that came, the last one excluded. */
  readonly #ranges: Uint16Array;
  readonly #rangeCount: Uint8Array;

  /** A table for `datagrams` (a power of two, 8 at least) that are forgotten after `lifeMs` of silence. */
  constructor(datagrams: number, hash: TupleHash, lifeMs: number) {
    this.#hash = hash;
    this.#lifeMs = lifeMs;
    this.#setMask = datagrams / ways - 1;
    this.kept = new Int32Array(datagrams * keptWords);
    this.#words = new Int32Array(datagrams * 8);
    this.#id = new Int32Array(datagrams);
    this.#protocol = new Uint8Array(datagrams);
    this.#lastSeenMs = new Float64Array(datagrams).fill(Number.NEGATIVE_INFINITY);
    this.#decision = new Uint8Array(datagrams);
    this.#ranges = new Uint16Array(datagrams * rangesPerDatagram * 2);
    this.#rangeCount = new Uint8Array(datagrams);
  }

  /** The entry of the datagram that a fragment belongs to; -1 if it is not known. */
  find(packet: Packet, nowMs: number): number {
    const protocol = protocolInKey(packet);
    const from = this.#setOf(packet, protocol);
    for (let entry = from; entry < from + ways; entry++) {
      if (
        this.#id[entry] === packet.fragmentId &&
        this.#protocol[entry] === protocol &&
        nowMs - this.#lastSeenMs[entry]! <= this.#lifeMs &&
        sameAddress(this.#words, entry * 8, packet.words, sourceAt) &&
        sameAddress(this.#words, entry * 8 + 4, packet.words, destinationAt)
      ) {
        this.#lastSeenMs[entry] = nowMs;
        return entry;
      }
    }
    return -1;
  }

  /** The entry that `open` would use for a fragment's datagram: what is known under it will be forgotten. */
  victim(packet: Packet): number {
    const from = this.#setOf(packet, protocolInKey(packet));
    let oldest = from;
    for (let entry = from + 1; entry < from + ways; entry++) {
      if (this.#lastSeenMs[entry]! < this.#lastSeenMs[oldest]!) oldest = entry;
    }
    return oldest;
  }

  /** Makes `entry`, a `victim`, that of a fragment's datagram, undecided and with no fragment seen. */
  open(entry: number, packet: Packet, nowMs: number): void {
    copyAddress(packet.words, sourceAt, this.#words, entry * 8);
    copyAddress(packet.words, destinationAt, this.#words, entry * 8 + 4);
    this.#id[entry] = packet.fragmentId;
    this.#protocol[entry] = protocolInKey(packet);
    this.#lastSeenMs[entry] = nowMs;
    this.#decision[entry] = FragmentDecision.unknown;
    this.#rangeCount[entry] = 0;
  }

  /** Remembers which bytes a fragment carries. Answers with one of `FragmentFit`. */
  add(entry: number, packet: Packet): number {
    const first = packet.fragmentOffset >> 3;
    const last = (packet.fragmentOffset + packet.end - packet.fragmentData + 7) >> 3;
    const from = entry * rangesPerDatagram * 2;
    const count = this.#rangeCount[entry]!;
    for (let at = from; at < from + count * 2; at += 2) {
      const otherFirst = this.#ranges[at]!;
      const otherLast = this.#ranges[at + 1]!;
      if (first === otherFirst && last === otherLast) return FragmentFit.duplicate;
      if (first < otherLast && otherFirst < last) return FragmentFit.overlap;
    }
    if (count === rangesPerDatagram) return FragmentFit.tooMany;
    this.#ranges[from + count * 2] = first;
    this.#ranges[from + count * 2 + 1] = last;
    this.#rangeCount[entry] = count + 1;
    return FragmentFit.fresh;
  }

  decisionOf(entry: number): number {
    return this.#decision[entry]!;
  }

  /** Decides over a datagram; `kept` holds `keptWords` if the decision is to be repeated. */
  decide(entry: number, decision: number, kept: Int32Array): void {
    this.#decision[entry] = decision;
    for (let index = 0; index < keptWords; index++) this.kept[entry * keptWords + index] = kept[index]!;
  }

  #setOf(packet: Packet, protocol: number): number {
    const hash = this.#hash.of(packet.words, sourceAt, destinationAt, packet.fragmentId, protocol);
    return (hash & this.#setMask) * ways;
  }
}

/** IPv6 knows its datagrams without the protocol (RFC 8200 §4.5), IPv4 with it (RFC 791 §3.2). */
function protocolInKey(packet: Packet): number {
  return packet.version === 4 ? packet.protocol : 0;
}
