/**
 * Entry of a worker thread: one queue, one shard. It says `ready` to its parent once the queue is open, and from then
 * on it never comes back to its event loop; tables are fetched from its mailbox when a number has moved.
 */

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { RawSocket } from 'node-linux-sockets';
import { Queue } from 'node-netfilter-queue';
import { createShard } from './create-shard.ts';
import type { DsrPublication } from './dsr/mode.ts';
import type { DsrShardSettings } from './dsr/shard.ts';
import { serve } from './loop.ts';
import { monotonicMs } from './monotonic.ts';
import type { NatPublication } from './nat/mode.ts';
import type { NatShardSettings } from './nat/shard.ts';
import type { Publication } from './publication.ts';
import { type ShardMemory, tallyNames, Vital } from './shard-memory.ts';

/** What a worker is to do with its packets. */
export type WorkerTask =
  | { readonly mode: 'nat'; readonly settings: NatShardSettings; readonly publication: NatPublication }
  | { readonly mode: 'dsr'; readonly settings: DsrShardSettings; readonly publication: DsrPublication };

export interface WorkerData {
  readonly queue: number;
  /** Of the signal that ends the worker. */
  readonly stopFd: number;
  /** Whether packets pass when the queue is full, as when the whole process has been stopped; else they are dropped. */
  readonly failOpen: boolean;
  readonly memory: ShardMemory;
  readonly task: WorkerTask;
}

const { queue: number, stopFd, failOpen, memory, task } = workerData as WorkerData;
const { settings, publication } = task;
const port = parentPort!;
const { vitals } = memory;

// The same time without the array that it comes in.
const offsetMs = monotonicMs() - performance.now();
const nowMs = (): number => performance.now() + offsetMs;

/**
 * Packets that wait while another process has this thread's core: 100 ms of what one core can send. As many small
 * ones fit into the queue's receive buffer.
 */
const queueLength = 32_768;

/** Adds nothing to the time of a packet that comes by itself, and to that of a flood 200 µs at most. */
const coalesceMicros = 50;

const queue = new Queue(number, {
  // A super-packet does not fit into a tunnel.
  gso: task.mode === 'nat',
  batchSize: settings.batchSize,
  queueLength,
  coalesceMicros,
  failOpen,
  stopFd,
});
try {
  const shard = createShard(task, memory, Math.random, nowMs(), (family) => new RawSocket(family));
  Atomics.store(vitals, Vital.taken, publication.tables.generation);
  const takeTables = (): void => {
    let latest: Publication | undefined;
    for (let mail = receiveMessageOnPort(port); mail !== undefined; mail = receiveMessageOnPort(port)) {
      latest = mail.message;
    }
    if (latest === undefined) return;
    // Its own mode's: nobody else writes to the mailbox.
    shard.use(latest as never);
    Atomics.store(vitals, Vital.taken, latest.tables.generation);
  };
  const tally = (): void => {
    const counters = queue.counters();
    for (const [at, name] of tallyNames.entries()) memory.tallies[at] = counters[name];
  };
  port.postMessage('ready');
  serve({ queue, shard, vitals, takeTables, tally, nowMs });
} finally {
  queue.close();
}
