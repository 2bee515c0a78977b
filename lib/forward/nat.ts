/**
 * The NAT data path: a batch of packets in, a verdict and a reason for each out. Figure 9.
 *
 *   take all apart ─▶ fetch their flows into the cache ─▶ one by one: fragment? ─▶ decide and rewrite ─▶ verdict
 *
 * Every packet gets exactly one verdict. Nothing is allocated per packet and nothing thrown, whatever the bytes say.
 *
 * It is meant for PREROUTING and, for clients on this machine, OUTPUT: the kernel looks the route up afterwards, so a
 * new destination is all it takes to send a packet there, or back to where it came from. Towards backends the
 * source is SNAT's, towards clients the VIP's: if that is an address of this machine, the kernel takes the packet
 * for a forged one unless `accept_local` is set on the interface by which it came in.
 */
import type { FlowTracker } from '../conntrack/tracker.ts';
import { Fragment, Outcome, Packet, Protocol } from '../packet/packet.ts';
import { parsePacket } from '../packet/parse.ts';
import { completeChecksum, type PacketBatch, PacketFlag, Verdict } from './batch.ts';
import type { Counters } from './counters.ts';
import type { FragmentPath } from './fragments.ts';
import { NatDecision, type Pick } from './nat-decision.ts';
import { Reason, verdictOfReason } from './reasons.ts';
import type { ForwardingTables } from './tables.ts';

export interface NatOptions {
  readonly tables: ForwardingTables;
  /** Must look flows up by the same tables. */
  readonly tracker: FlowTracker;
  readonly fragments: FragmentPath;
  readonly counters: Counters;
  readonly pick: Pick;
  /** Packets of a batch at most. */
  readonly batchSize: number;
}

/** Flows that may be ended by timeout for every packet of a batch, and for a batch without any. */
const expiriesPerPacket = 2;
const expiriesPerBatch = 64;

export class NatForwarder {
  /** The reason for each packet of the last batch, in the order in which they came. */
  readonly reasons: Uint8Array;
  /** A number that means nothing (see `KeyIndex.prefetch`). */
  fetched = 0;
  readonly #tracker: FlowTracker;
  readonly #fragments: FragmentPath;
  readonly #counters: Counters;
  readonly #decision: NatDecision;
  /** The packets of a batch, taken apart, and by the same position: whether that went well, and their hashes. */
  readonly #packets: readonly Packet[];
  readonly #outcomes: Uint8Array;
  readonly #hashes: Int32Array;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #nowMs = 0;

  constructor(options: NatOptions) {
    this.reasons = new Uint8Array(options.batchSize);
    this.#tracker = options.tracker;
    this.#fragments = options.fragments;
    this.#counters = options.counters;
    this.#decision = new NatDecision(options.tables, options.tracker, options.counters, options.pick);
    this.#packets = Array.from({ length: options.batchSize }, () => new Packet());
    this.#outcomes = new Uint8Array(options.batchSize);
    this.#hashes = new Int32Array(options.batchSize);
  }

  /** Goes over to another generation between two batches. Numbers in use must mean in it what they meant before. */
  use(tables: ForwardingTables): void {
    this.#decision.use(tables);
  }

  /**
   * Decides over the first `count` packets of a batch and rewrites them in place. `nowMs` is monotonic; call with a
   * count of 0 when nothing comes, so that time goes on. Answers with how many verdicts the batch holds now: fewer
   * than packets if some are held, and then the columns have been moved up.
   */
  process(batch: PacketBatch, count: number, nowMs: number): number {
    if (this.#view.buffer !== batch.bytes.buffer || this.#view.byteOffset !== batch.bytes.byteOffset) {
      const { buffer, byteOffset, byteLength } = batch.bytes;
      this.#view = new DataView(buffer, byteOffset, byteLength);
    }
    this.#nowMs = nowMs;
    this.#tracker.advance(nowMs, expiriesPerBatch + count * expiriesPerPacket);
    this.#fragments.advance(nowMs);
    this.#takeApart(batch, count);
    let verdicts = 0;
    for (let index = 0; index < count; index++) {
      const reason = this.#decide(batch, index);
      this.reasons[index] = reason;
      this.#counters.decided(this.#decision.vip, reason);
      const verdict = verdictOfReason[reason]!;
      if (verdict === Verdict.none) continue;
      batch.verdict[verdicts] = verdict;
      if (verdict === Verdict.rewritten) {
        batch.length[index] = this.#decision.length;
        batch.verdict[verdicts] = verdict | completionOf(reason, batch.flags[index]!);
      }
      if (verdicts !== index) {
        batch.id[verdicts] = batch.id[index]!;
        batch.offset[verdicts] = batch.offset[index]!;
        batch.length[verdicts] = batch.length[index]!;
      }
      verdicts++;
    }
    return verdicts;
  }

  /** After the verdicts of `process` were sent: see `FragmentPath.release`. */
  release(batch: PacketBatch): number {
    return this.#fragments.release(batch, this.#view);
  }

  #takeApart(batch: PacketBatch, count: number): void {
    const tracker = this.#tracker;
    for (let index = 0; index < count; index++) {
      const packet = this.#packets[index]!;
      const start = batch.offset[index]!;
      const outcome = parsePacket(packet, this.#view, start, start + batch.length[index]!);
      this.#outcomes[index] = outcome;
      const { protocol, fragment } = packet;
      const hasFlow = fragment !== Fragment.later && (protocol === Protocol.tcp || protocol === Protocol.udp);
      this.#hashes[index] = outcome === Outcome.ok && hasFlow ? tracker.hashOf(packet) : 0;
    }
    this.fetched = tracker.index.prefetch(this.#hashes, count);
  }

  #decide(batch: PacketBatch, index: number): number {
    const decision = this.#decision;
    const packet = this.#packets[index]!;
    const flags = batch.flags[index]!;
    decision.vip = 0;
    if ((flags & PacketFlag.truncated) !== 0) return Reason.cutOff;
    const outcome = this.#outcomes[index]!;
    if (outcome !== Outcome.ok) return outcome;
    const hash = this.#hashes[index]!;
    if (packet.fragment === Fragment.none) return decision.decide(this.#view, packet, hash, flags);

    const refused = this.#fragments.enter(packet, this.#nowMs);
    if (refused !== 0) return refused;
    decision.length = batch.length[index]!;
    if (packet.fragment === Fragment.later) {
      return this.#fragments.later(this.#view, packet, batch.id[index]!, decision.length, this.#nowMs);
    }
    const reason = decision.decide(this.#view, packet, hash, flags);
    this.#fragments.decide(this.#view, packet.start, packet.end, reason);
    return reason;
  }
}

/** What has to be added to the verdict over a rewritten packet (see batch.ts). */
function completionOf(reason: number, flags: number): number {
  const unready = flags & (PacketFlag.checksumNotReady | PacketFlag.gso);
  return reason === Reason.forwarded && unready === PacketFlag.checksumNotReady ? completeChecksum : 0;
}
