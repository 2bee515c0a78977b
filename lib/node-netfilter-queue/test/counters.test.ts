import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findQueue } from '../lib/counters.ts';

// Linux 6.18: queue, port id, waiting, copy mode, copy range, dropped (queue full), dropped (user), last id, 1.
const table = `    7  14643     3 2 65531     5     0       12  1
   70 -12345   100 2   128 1000000   250 4000000  1
`;

describe("the kernel's table of queues", () => {
  it('is read by column, whatever its width', () => {
    assert.deepEqual(findQueue(table, 7), { waiting: 3, droppedQueueFull: 5, droppedBufferFull: 0 });
    assert.deepEqual(findQueue(table, 70), {
      waiting: 100,
      droppedQueueFull: 1_000_000,
      droppedBufferFull: 250,
    });
  });

  it('has no row for a queue that nobody owns', () => {
    assert.equal(findQueue(table, 0), undefined);
    assert.equal(findQueue('', 7), undefined);
  });
});
