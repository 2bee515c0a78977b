/**
 * What a worker and the main thread have in common. It outlives the worker: another thread takes over its flows.
 *
 *   flows      one FlowRows     written by the worker, read by whoever likes
 *   counters   one Counters     the same
 *   vitals     one word each    Vital: published by the main thread, the others by the worker
 *   tallies    one number each  what the queue has counted, by `tallyNames`; written by the worker now and then
 */
import { type FlowTableShape, flowBufferBytes } from '../conntrack/flow-rows.ts';
import { Counters } from '../forward/counters.ts';

export interface ShardMemory {
  readonly shape: FlowTableShape;
  readonly flows: SharedArrayBuffer;
  readonly counters: SharedArrayBuffer;
  readonly vitals: Int32Array;
  readonly tallies: Float64Array;
}

/** What is counted at each position of `ShardMemory.tallies`. */
export const tallyNames = ['packets', 'receives', 'sends', 'overruns', 'refused', 'malformed'] as const;

/** Positions in `ShardMemory.vitals`. */
export const Vital = {
  /** The generation of tables that lies in the worker's mailbox. */
  published: 0,
  /** The generation that it decides by. */
  taken: 1,
  /** Changes for as long as it goes round its loop. */
  heartbeat: 2,
} as const;

/** Fresh memory, all zero. */
export function createShardMemory(shape: FlowTableShape): ShardMemory {
  return {
    shape,
    flows: new SharedArrayBuffer(flowBufferBytes(shape)),
    counters: new SharedArrayBuffer(Counters.bufferBytes(shape)),
    vitals: new Int32Array(new SharedArrayBuffer(Object.keys(Vital).length * 4)),
    tallies: new Float64Array(new SharedArrayBuffer(tallyNames.length * 8)),
  };
}
