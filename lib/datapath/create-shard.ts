/** The shard that a task asks for: a worker's own, or one that packets are tried out on. */
import type { Random } from '../model/clock.ts';
import { NatShard } from './nat/shard.ts';
import type { ShardMemory } from './shard-memory.ts';
import type { WorkerTask } from './worker.ts';

/** Takes over the flows that are in `memory`. `nowMs` is on the scale that its forwarder will be told. */
export function createShard(
  { settings, publication }: WorkerTask,
  memory: ShardMemory,
  random: Random,
  nowMs: number,
): NatShard {
  return new NatShard(memory, settings, publication, random, nowMs);
}
