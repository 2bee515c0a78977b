/** What the kernel counts for each queue, read from its table in /proc. */
import { readFileSync } from 'node:fs';

export interface KernelCounters {
  /** Packets that are in the queue now, unread or without a verdict. */
  readonly waiting: number;
  /** Packets dropped because the queue was at its length. */
  readonly droppedQueueFull: number;
  /** Packets dropped because the socket's receive buffer was full. */
  readonly droppedBufferFull: number;
}

/** Of the calling thread, whose network namespace may be its own. */
const table = '/proc/thread-self/net/netfilter/nfnetlink_queue';

/** The kernel's counters for a queue of this network namespace, whoever owns it; undefined if nobody does. */
export function kernelCounters(queueNumber: number): KernelCounters | undefined {
  let text: string;
  try {
    text = readFileSync(table, 'utf8');
  } catch {
    return undefined;
  }
  return findQueue(text, queueNumber);
}

/** A row: queue, port id of the owner, waiting, copy mode, copy range, two counts of drops, last id, 1. */
export function findQueue(text: string, queueNumber: number): KernelCounters | undefined {
  for (const line of text.split('\n')) {
    const row = line.trim().split(/\s+/).map(Number);
    if (row.length >= 8 && row[0] === queueNumber) {
      return { waiting: row[2]!, droppedQueueFull: row[5]!, droppedBufferFull: row[6]! };
    }
  }
  return undefined;
}
