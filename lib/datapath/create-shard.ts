/** The shard that a task asks for: a worker's own, or one that packets are tried out on. */
import type { Random } from '../model/clock.ts';
import { DsrShard } from './dsr/shard.ts';
import { NatShard } from './nat/shard.ts';
import type { PacketSocket } from './outlet.ts';
import type { Shard } from './shard.ts';
import type { ShardMemory } from './shard-memory.ts';
import type { WorkerTask } from './worker.ts';

/**
 * Takes over the flows that are in `memory`. `nowMs` is on the scale that its forwarder will be told; `openSocket` is
 * called for what is to be sent apart, when that is flushed.
 */
export function createShard(
  task: WorkerTask,
  memory: ShardMemory,
  random: Random,
  nowMs: number,
  openSocket: (family: 4 | 6) => PacketSocket,
): Shard {
  switch (task.mode) {
    case 'nat':
      return new NatShard(memory, task.settings, task.publication, random, nowMs, openSocket);
    case 'dsr':
      return new DsrShard(memory, task.settings, task.publication, random, nowMs, openSocket);
  }
}
