/**
 * The data path of every mode: a batch of packets in, a verdict and a reason for each out.
 *
 *   take all apart ─▶ fetch their flows into the cache ─▶ one by one: fragment? ─▶ decide and rewrite ─▶ verdict
 *
 * Every packet gets exactly one verdict. Nothing is allocated per packet and nothing thrown, whatever the bytes say.
 */
import type { FlowTracker } from '../conntrack/tracker.ts';
import { Fragment, Outcome, Packet, Protocol } from '../packet/packet.ts';
import { parsePacket } from '../packet/parse.ts';
import { completeChecksum, outputHook, ownPacket, type PacketBatch, PacketFlag, Verdict } from './batch.ts';
import type { Counters } from './counters.ts';
import type { Decision } from './decision.ts';
import type { FragmentPath } from './fragments.ts';
import { Reason, verdictOfReason } from './reasons.ts';

/** What every mode's data path is made of, beside its decision. */
export interface ForwarderOptions {
  /** Must look flows up by the tables that the decision is made from. */
  readonly tracker: FlowTracker;
  readonly fragments: FragmentPath;
  readonly counters: Counters;
  /** Packets of a batch at most. */
  readonly batchSize: number;
}

/** Flows that may be ended by timeout for every packet of a batch, and for a batch without any. */
const expiriesPerPacket = 2;
const expiriesPerBatch = 64;

export class Forwarder<Tables> {
  /** The reason for each packet of the last batch, in the order in which they came. */
  readonly reasons: Uint8Array;
  /** Whether flows may be overdue that the last batch left no time for: do not wait long before the next. */
  behind = false;
  /** A number that means nothing (see `KeyIndex.prefetch`). */
  fetched = 0;
  readonly #tracker: FlowTracker;
  readonly #fragments: FragmentPath;
  readonly #counters: Counters;
  readonly #decision: Decision<Tables>;
  /** The packets of a batch, taken apart, and by the same position: whether that went well, and their hashes. */
  readonly #packets: readonly Packet[];
  readonly #outcomes: Uint8Array;
  readonly #hashes: Int32Array;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #nowMs = 0;
  /** Whether later fragments go the way of the packet that was decided over last. */
  #leads = false;

  constructor(decision: Decision<Tables>, options: ForwarderOptions) {
    this.reasons = new Uint8Array(options.batchSize);
    this.#tracker = options.tracker;
    this.#fragments = options.fragments;
    this.#counters = options.counters;
    this.#decision = decision;
    this.#packets = Array.from({ length: options.batchSize }, () => new Packet());
    this.#outcomes = new Uint8Array(options.batchSize);
    this.#hashes = new Int32Array(options.batchSize);
  }

  /** Goes over to another generation between two batches. Numbers in use must mean in it what they meant before. */
  use(tables: Tables): void {
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
    this.behind = this.#tracker.advance(nowMs, expiriesPerBatch + count * expiriesPerPacket);
    this.#fragments.advance(nowMs);
    this.#takeApart(batch, count);
    let verdicts = 0;
    for (let index = 0; index < count; index++) {
      const reason = this.#decide(batch, index);
      this.reasons[index] = reason;
      this.#counters.decided(this.#decision.vip, reason);
      if (verdictOfReason[reason]! !== Verdict.none) {
        this.#answer(batch, index, verdicts, reason);
        verdicts++;
      }
      if (this.#leads) this.#fragments.decide(this.#decision, reason, nowMs);
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
    const flags = batch.flags[index]! | (batch.hook[index] === outputHook ? ownPacket : 0);
    decision.vip = 0;
    this.#leads = false;
    if ((flags & PacketFlag.truncated) !== 0) return Reason.cutOff;
    const outcome = this.#outcomes[index]!;
    if (outcome !== Outcome.ok) return outcome;
    if (packet.fragment !== Fragment.none) {
      const refused = this.#fragments.enter(packet, this.#nowMs);
      if (refused !== 0) return refused;
      if (packet.fragment === Fragment.later) {
        return this.#fragments.later(decision, this.#view, packet, batch.id[index]!, this.#nowMs);
      }
      this.#leads = true;
    }
    return decision.decide(this.#view, packet, this.#hashes[index]!, flags, this.#nowMs);
  }

  /** Writes the verdict over packet `index` at position `verdict` of the columns, which is not behind it. */
  #answer(batch: PacketBatch, index: number, verdict: number, reason: number): void {
    const code = verdictOfReason[reason]!;
    batch.verdict[verdict] = code;
    batch.id[verdict] = batch.id[index]!;
    if (code === Verdict.rewritten) {
      batch.offset[verdict] = this.#decision.start;
      batch.length[verdict] = this.#decision.length;
      batch.verdict[verdict] = code | completionOf(reason, batch.flags[index]!);
      return;
    }
    if (code === Verdict.marked) batch.mark[verdict] = this.#decision.mark;
    batch.offset[verdict] = batch.offset[index]!;
    batch.length[verdict] = batch.length[index]!;
  }
}

/**
 * What has to be added to the verdict over a rewritten packet (see batch.ts). A super-packet gets its checksums when
 * the kernel cuts it up on its way out; this machine would look at the one that it has.
 */
function completionOf(reason: number, flags: number): number {
  if ((flags & PacketFlag.checksumNotReady) === 0) return 0;
  if (reason === Reason.delivered) return completeChecksum;
  return reason === Reason.forwarded && (flags & PacketFlag.gso) === 0 ? completeChecksum : 0;
}
