/**
 * A worker's shard, put up apart from the packet path over memory of its own, to which packets are sent one by one: the
 * same flow table, policies and forwarder that packets meet on the machine, from a snapshot of its tables and flows.
 *
 *   PathSnapshot ─▶ rows copied into fresh memory ─▶ createShard ─▶ packet in ─▶ verdict, reason, packets out
 */
import type { FlowTableShape } from '../conntrack/flow-rows.ts';
import { byteShift, FlowRows } from '../conntrack/flow-rows.ts';
import { createShard } from '../datapath/create-shard.ts';
import type { Shard } from '../datapath/shard.ts';
import { createShardMemory } from '../datapath/shard-memory.ts';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import { completeChecksum, type PacketBatch, PacketFlag, Verdict } from '../forward/batch.ts';
import { type ReasonName, reasonNames } from '../forward/reasons.ts';
import type { Random } from '../model/clock.ts';
import { headroom } from '../packet/encapsulate.ts';

/** What became of a packet. */
export interface Outcome {
  /** As it was numbered when it was sent. */
  readonly id: number;
  /** One of `Verdict`, the completion of checksums left out. */
  readonly verdict: number;
  /** Undefined for a fragment that had waited. */
  readonly reason: ReasonName | undefined;
  /** What goes on: its bytes, as they are now. Empty if it was dropped or waits. */
  readonly bytes: Uint8Array;
  /** What it goes on with, of `Verdict.marked`. */
  readonly mark: number;
  /** What was sent in its place, by a socket, and in place of those that had waited for it. */
  readonly apart: readonly Uint8Array[];
}

export interface RigOptions {
  readonly snapshot: PathSnapshot;
  /** The worker that it stands for. */
  readonly worker: number;
  /** Flows that may be opened, beside those of the snapshot. */
  readonly room: number;
  readonly random: Random;
}

const largestPacket = 65_535;
/** What a kernel may need beyond a packet, and the alignment of the next. */
const spare = 64;

export class Rig {
  readonly shard: Shard;
  readonly rows: FlowRows;
  readonly #batch: PacketBatch;
  #apart: Uint8Array[] = [];

  constructor({ snapshot, worker, room, random }: RigOptions) {
    const task = snapshot.tasks[worker]!;
    const { nowMs, loads } = snapshot;
    const flows = snapshot.flows.filter((flow) => flow.worker === worker);
    const memory = createShardMemory(shapeFor(snapshot, flows.length + room));
    this.rows = new FlowRows(memory.flows, memory.shape);
    for (const [index, { row, created }] of flows.entries()) {
      this.rows.bytes.set(row, (index + 1) << byteShift);
      this.rows.created[index + 1] = created;
    }
    this.shard = createShard(task, memory, random, nowMs, () => ({
      send: (bytes, offsets, lengths, count) => this.#collect(bytes, offsets, lengths, count),
    }));
    // Policies that look at loads see those of the machine.
    this.rows.flowsOfEndpoint.set(loads[worker]!);
    this.#batch = createBatch(headroom + largestPacket + spare);
  }

  /** Sends a packet, numbered `id` above 0, at `nowMs`. Answers with what became of it and of any that had waited. */
  send(id: number, packet: Uint8Array, nowMs: number, cutOff = false): readonly Outcome[] {
    const { forwarder } = this.shard;
    const batch = this.#batch;
    batch.bytes.set(packet, headroom);
    batch.id[0] = id;
    batch.offset[0] = headroom;
    batch.length[0] = packet.length;
    batch.flags[0] = cutOff ? PacketFlag.truncated : 0;
    this.#apart = [];
    const verdicts = forwarder.process(batch, 1, nowMs);
    const reason = reasonNames[forwarder.reasons[0]!]!;
    const outcomes: Outcome[] = [
      verdicts === 0
        ? { id, verdict: Verdict.none, reason, bytes: new Uint8Array(0), mark: 0, apart: this.#apart }
        : { ...outcomeAt(batch, 0), reason, apart: this.#apart },
    ];
    for (let count = forwarder.release(batch); count > 0; count = forwarder.release(batch)) {
      for (let index = 0; index < count; index++) outcomes.push(outcomeAt(batch, index));
    }
    this.shard.flush?.();
    return outcomes;
  }

  #collect(bytes: Uint8Array, offsets: Uint32Array, lengths: Uint32Array, count: number): number {
    for (let index = 0; index < count; index++) {
      const offset = offsets[index]!;
      this.#apart.push(bytes.slice(offset, offset + lengths[index]!));
    }
    return count;
  }
}

function outcomeAt(batch: PacketBatch, index: number): Outcome {
  const verdict = batch.verdict[index]! & ~completeChecksum;
  const offset = batch.offset[index]!;
  const end = verdict === Verdict.drop ? offset : offset + batch.length[index]!;
  const bytes = batch.bytes.slice(offset, end);
  return { id: batch.id[index]!, verdict, reason: undefined, bytes, mark: batch.mark[index]!, apart: [] };
}

/** Numbers of VIPs and endpoints are below one more than the highest of the snapshot. */
function shapeFor({ vips, endpoints }: PathSnapshot, flows: number): FlowTableShape {
  const above = (entries: readonly { readonly number: number }[]): number =>
    entries.reduce((most, { number }) => Math.max(most, number), 0) + 1;
  // Row 0 holds no flow; half-open flows may fill a quarter.
  const capacity = 2 ** Math.ceil(Math.log2(4 * flows + 1));
  return { capacity, vips: above(vips), endpoints: above(endpoints) };
}

function createBatch(bytes: number): PacketBatch {
  // What had waited comes back several at a time.
  const most = 16;
  return {
    bytes: new Uint8Array(bytes),
    id: new Uint32Array(most),
    offset: new Uint32Array(most),
    length: new Uint32Array(most),
    mark: new Uint32Array(most),
    hook: new Uint8Array(most),
    flags: new Uint8Array(most),
    verdict: new Uint8Array(most),
  };
}
