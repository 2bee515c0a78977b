/** A packet path as the main thread sees it: from the memory of its workers, and from the kernel's table of queues. */
import { kernelCounters } from 'node-netfilter-queue';
import { Count, type FlowRows } from '../conntrack/flow-rows.ts';
import type { PathView, WorkerView } from '../model/view.ts';
import type { Generation } from './mode.ts';
import type { Publication } from './publication.ts';
import { vipName } from './publisher.ts';
import type { Readings } from './readings.ts';
import type { Vip } from './settings.ts';
import { type ShardMemory, tallyNames, Vital } from './shard-memory.ts';
import type { Workers } from './workers.ts';

const notTold = { waiting: 0, droppedQueueFull: 0, droppedBufferFull: 0 } as const;

/** What there is to say of a path that decides by this generation, made for these VIPs. Looks at every row. */
export function viewPath(
  { publication, vips: numbered }: Generation<Publication>,
  vips: readonly Vip[],
  readings: Readings,
  { firstQueue, restarts }: Pick<Workers, 'firstQueue' | 'restarts'>,
): Omit<PathView, 'mode'> {
  const ofVip = readings.halfOpenFlows();
  const halfOpen: Record<string, number> = {};
  for (const vip of vips) {
    const flows = ofVip[numbered.numberOf(vipName(vip))!]!;
    halfOpen[vip.service] = (halfOpen[vip.service] ?? 0) + flows;
  }
  return {
    generation: publication.tables.generation,
    halfOpen,
    workers: readings.shards.map((shard, worker) =>
      viewWorker(shard, { worker, queue: firstQueue + worker, restarts: restarts[worker]! }),
    ),
  };
}

/** What there is to say of one worker; `queue` is the number of its queue. */
export function viewWorker(
  { rows, memory }: { readonly rows: FlowRows; readonly memory: ShardMemory },
  { worker, queue, restarts }: { readonly worker: number; readonly queue: number; readonly restarts: number },
): WorkerView {
  const { counts } = rows;
  const [halfOpen = 0, live = 0, closing = 0] = counts.subarray(Count.flowsInClass, Count.opened);
  const tallies = Object.fromEntries(tallyNames.map((name, at) => [name, memory.tallies[at]!]));
  return {
    worker,
    restarts,
    generation: Atomics.load(memory.vitals, Vital.taken),
    flows: halfOpen + live + closing,
    halfOpen,
    // Row 0 holds no flow.
    capacity: rows.capacity - 1,
    expired: counts[Count.expired]!,
    evicted: counts[Count.evicted]!,
    queue: {
      number: queue,
      ...(kernelCounters(queue) ?? notTold),
      ...(tallies as Record<(typeof tallyNames)[number], number>),
    },
  };
}
