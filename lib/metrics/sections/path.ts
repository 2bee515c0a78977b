/** What is told of each packet path, and of each of its workers. */
import type { Mode } from '../../model/spec.ts';
import type { PathView, WorkerView } from '../../model/view.ts';
import type { Section } from '../section.ts';

export const pathSection: Section<PathView> = {
  labels: { mode: ({ mode }) => mode },
  metrics: [
    {
      name: 'sluice_path_generation',
      type: 'gauge',
      help: 'Counts the forwarding tables that were published; all workers decide by the last when theirs is the same.',
      value: ({ generation }) => generation,
    },
    {
      name: 'sluice_path_half_open_flows',
      type: 'gauge',
      help: 'Flows of which one side only has been seen, by service.',
      by: 'service',
      values: ({ halfOpen }) => halfOpen,
    },
  ],
};

export interface WorkerReading extends WorkerView {
  readonly mode: Mode;
}

export const workerSection: Section<WorkerReading> = {
  labels: { mode: ({ mode }) => mode, worker: ({ worker }) => String(worker) },
  metrics: [
    {
      name: 'sluice_worker_generation',
      type: 'gauge',
      help: 'The forwarding tables that the worker decides by.',
      value: ({ generation }) => generation,
    },
    {
      name: 'sluice_worker_restarts_total',
      type: 'counter',
      help: 'How often the worker had to be replaced.',
      value: ({ restarts }) => restarts,
    },
    {
      name: 'sluice_worker_flows',
      type: 'gauge',
      help: 'Flows that the worker tracks.',
      value: ({ flows }) => flows,
    },
    {
      name: 'sluice_worker_half_open_flows',
      type: 'gauge',
      help: 'Those of which one side only has been seen.',
      value: ({ halfOpen }) => halfOpen,
    },
    {
      name: 'sluice_worker_flow_capacity',
      type: 'gauge',
      help: 'Flows that the worker has room for.',
      value: ({ capacity }) => capacity,
    },
    {
      name: 'sluice_worker_ended_flows_total',
      type: 'counter',
      help: 'Flows that the worker has forgotten: after silence, or to make room for others.',
      by: 'reason',
      values: ({ expired, evicted }) => ({ expired, evicted }),
    },
    {
      name: 'sluice_worker_packets_total',
      type: 'counter',
      help: 'Packets that the worker has taken out of its queue.',
      value: ({ queue }) => queue.packets,
    },
    {
      name: 'sluice_worker_queue_waiting_packets',
      type: 'gauge',
      help: 'Packets that wait in the kernel for the worker.',
      value: ({ queue }) => queue.waiting,
    },
    {
      name: 'sluice_worker_queue_dropped_packets_total',
      type: 'counter',
      help: 'Packets that the kernel has dropped because the queue, or the buffer of its socket, was full.',
      by: 'reason',
      values: ({ queue }) => ({
        'queue-full': queue.droppedQueueFull,
        'buffer-full': queue.droppedBufferFull,
      }),
    },
    {
      name: 'sluice_worker_queue_calls_total',
      type: 'counter',
      help: 'Batches that packets came in by, and system calls that took verdicts over them. Packets a batch tell how well they gather.',
      by: 'call',
      values: ({ queue }) => ({ receive: queue.receives, send: queue.sends }),
    },
    {
      name: 'sluice_worker_queue_errors_total',
      type: 'counter',
      help: 'Overruns: the kernel had no room for a message. Refused: it did not want a verdict. Malformed: what it said made no sense.',
      by: 'reason',
      values: ({ queue }) => ({
        overrun: queue.overruns,
        refused: queue.refused,
        malformed: queue.malformed,
      }),
    },
  ],
};
