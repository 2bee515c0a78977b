/**
 * One worker's share of a packet path, put together over shared memory: flow table, fragments, counters and policies.
 * It has no queue and no thread of its own (see loop.ts and worker.ts). What all modes' shards have in common is here.
 */
import type { FlowTableShape } from '../conntrack/flow-rows.ts';
import { FragmentTable } from '../conntrack/fragment-table.ts';
import { type HashKey, TupleHash } from '../conntrack/half-siphash.ts';
import { HeldPackets } from '../conntrack/held-packets.ts';
import type { FlowTimeouts } from '../conntrack/states.ts';
import type { FlowTracker } from '../conntrack/tracker.ts';
import type { Counters } from '../forward/counters.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import { FragmentPath } from '../forward/fragments.ts';
import type { Publication } from './publication.ts';

/** Fixed for as long as a shard's memory lives, whatever the mode. */
export interface CommonSettings {
  /** The secret of the process. */
  readonly key: HashKey;
  /** The key of the policies' hashes: 32 hexadecimal digits. */
  readonly hashSeed: string;
  readonly timeouts: FlowTimeouts;
  readonly batchSize: number;
}

export interface Shard<P extends Publication = never> {
  readonly forwarder: Pick<Forwarder<unknown>, 'process' | 'release' | 'reasons' | 'behind'>;
  readonly tracker: FlowTracker;
  /** Goes over to another generation between two batches. */
  use(publication: P): void;
  /** Does a little of what is due without packets; answers whether there is more of it. */
  tend?(nowMs: number): boolean;
  /** Sends what is to leave apart from the verdicts, after these. */
  flush?(): void;
}

/** Half-open flows may fill a quarter of the table, and are safe from newcomers for a while. */
const halfOpenShare = 4;
export const halfOpenGraceMs = 3_000;

/** Half-open flows that a table may hold. */
export function halfOpenQuota({ capacity }: FlowTableShape): number {
  return Math.max(1, Math.floor(capacity / halfOpenShare));
}

const fragmentedDatagrams = 1_024;
const fragmentLifeMs = 200;
/** Up to jumbo frames. */
const heldPackets = 256;
const heldPacketBytes = 9_216;

/** A fragment path of the usual size. */
export function fragmentPath(key: HashKey, counters: Counters): FragmentPath {
  const table = new FragmentTable(fragmentedDatagrams, new TupleHash(key), fragmentLifeMs);
  return new FragmentPath(table, new HeldPackets(heldPackets, heldPacketBytes), fragmentLifeMs, counters);
}
