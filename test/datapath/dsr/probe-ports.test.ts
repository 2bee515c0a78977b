import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ProbePorts } from '../../../lib/datapath/dsr/probe-ports.ts';

describe('the ports of checks', () => {
  it('lead to the endpoint that they were taken for, on every thread', () => {
    const ports = new ProbePorts([1_000, 1_003], 0);
    assert.ok(ports.endpoints.buffer instanceof SharedArrayBuffer);
    assert.equal(ports.take(7), 1_000);
    assert.equal(ports.take(9), 1_001);
    assert.deepEqual([...ports.endpoints], [7, 9, 0, 0]);
  });

  it('go on leading there for stragglers when they are given back', () => {
    const ports = new ProbePorts([1_000, 1_001], 0);
    ports.giveBack(ports.take(7)!);
    assert.equal(ports.endpoints[0], 7);
  });

  it('rest for a whole round before they are used again', () => {
    const ports = new ProbePorts([1_000, 1_002], 0.5);
    const taken = Array.from({ length: 6 }, () => {
      const port = ports.take(1)!;
      ports.giveBack(port);
      return port;
    });
    assert.deepEqual(taken, [1_001, 1_002, 1_000, 1_001, 1_002, 1_000]);
  });

  it('are none when all are taken', () => {
    const ports = new ProbePorts([1_000, 1_001], 0);
    assert.deepEqual([ports.take(1), ports.take(1), ports.take(1)], [1_000, 1_001, undefined]);
    ports.giveBack(1_000);
    assert.equal(ports.take(2), 1_000);
  });

  it('are never given to two at once', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean()), fc.double({ min: 0, max: 0.999, noNaN: true }), (steps, random) => {
        const ports = new ProbePorts([20, 24], random);
        const held: number[] = [];
        for (const take of steps) {
          const port = take ? ports.take(1) : held.shift();
          if (port === undefined) {
            assert.ok(take ? held.length === 5 : held.length === 0);
          } else if (take) {
            assert.ok(port >= 20 && port <= 24 && !held.includes(port));
            held.push(port);
          } else ports.giveBack(port);
        }
      }),
    );
  });
});
