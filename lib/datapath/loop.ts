/**
 * The round that a worker goes for ever: packets in, verdicts out, and then those over fragments that had waited.
 * It allocates nothing, and takes no new tables in the middle of a batch.
 *
 *   receive ─▶ tables moved on? take them ─▶ decide and rewrite ─▶ send verdicts ─▶ release what was held ─┐
 *      ▲───────────────────────────────── send what leaves apart ◀─ tend to what is due without packets ◀──┘
 */
import type { PacketBatch } from '../forward/batch.ts';
import type { Shard } from './shard.ts';
import { Vital } from './shard-memory.ts';

/** What the loop needs of a queue of node-netfilter-queue. */
export interface PacketQueue {
  readonly batch: PacketBatch;
  /** Whether `receive` waits no more. */
  readonly stopped: boolean;
  receive(timeoutMs: number): number;
  sendVerdicts(count: number): void;
}

export interface Round {
  readonly queue: PacketQueue;
  readonly shard: Pick<Shard, 'forwarder' | 'tend' | 'flush'>;
  readonly vitals: Int32Array;
  /** Has the forwarder go over to the tables that were published. */
  readonly takeTables: () => void;
  /** Writes down what the queue has counted; called now and then. */
  readonly tally: () => void;
  readonly nowMs: () => number;
}

/** While nothing comes: how often time moves on for flows, held fragments and the heartbeat. */
const idleMs = 100;

/** Seldom, because it allocates. */
const tallyEveryMs = 1_000;

/** Serves until the queue is stopped and has nothing left. */
export function serve({ queue, shard, vitals, takeTables, tally, nowMs }: Round): void {
  const { forwarder } = shard;
  let tallyDueMs = 0;
  for (let busy = false; ; ) {
    const count = queue.receive(busy ? 0 : idleMs);
    Atomics.add(vitals, Vital.heartbeat, 1);
    if (Atomics.load(vitals, Vital.published) !== Atomics.load(vitals, Vital.taken)) takeTables();
    const now = nowMs();
    const verdicts = forwarder.process(queue.batch, count, now);
    if (verdicts > 0) queue.sendVerdicts(verdicts);
    for (let more = forwarder.release(queue.batch); more > 0; more = forwarder.release(queue.batch)) {
      queue.sendVerdicts(more);
    }
    const unfinished = shard.tend?.(now) ?? false;
    shard.flush?.();
    busy = forwarder.behind || unfinished;
    if (now >= tallyDueMs) {
      tally();
      tallyDueMs = now + tallyEveryMs;
    }
    if (count === 0 && queue.stopped) return;
  }
}
