/** The index of flow keys under a hash that tells nothing apart: whatever it finds, it found by looking. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Byte, FlowRows, flowBufferBytes, Half } from '../../lib/conntrack/flow-rows.ts';
import { TupleHash } from '../../lib/conntrack/half-siphash.ts';
import { KeyIndex } from '../../lib/conntrack/key-index.ts';
import { writeAddress } from '../../lib/packet/address.ts';
import { book } from './flows.ts';

class BlindHash extends TupleHash {
  override of(): number {
    return -3;
  }
}

interface Flow {
  readonly client: string;
  readonly clientPort: number;
  readonly vip: number;
  readonly endpoint: number;
  readonly snat: number;
  readonly snatPort: number;
}

const one: Flow = {
  client: '198.51.100.7',
  clientPort: 40_000,
  vip: 1,
  endpoint: 1,
  snat: 1,
  snatPort: 2000,
};

function makeIndex(flows: readonly Flow[]): { index: KeyIndex; rows: FlowRows } {
  const shape = { capacity: 16, vips: 4, endpoints: 4 };
  const rows = new FlowRows(new SharedArrayBuffer(flowBufferBytes(shape)), shape);
  for (const [position, flow] of flows.entries()) {
    const row = position + 1;
    assert.ok(writeAddress(flow.client, rows.words, row * 16));
    rows.halves[row * 32 + Half.clientPort] = flow.clientPort;
    rows.halves[row * 32 + Half.snatPort] = flow.snatPort;
    rows.halves[row * 32 + Half.vip] = flow.vip;
    rows.halves[row * 32 + Half.endpoint] = flow.endpoint;
    rows.bytes[row * 64 + Byte.snat] = flow.snat;
  }
  return { index: new KeyIndex(rows, new BlindHash({ low: 0, high: 0 }), book, true), rows };
}

type Tuple = readonly [
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
  protocol: number,
];

function find(index: KeyIndex, [source, sourcePort, destination, destinationPort, protocol]: Tuple): number {
  const words = new Int32Array(8);
  assert.ok(writeAddress(source, words, 0) && writeAddress(destination, words, 4));
  const hash = index.hashOf(words, 0, 4, sourcePort, destinationPort, protocol);
  return index.find(hash, words, 0, 4, sourcePort, destinationPort, protocol);
}

const original: Tuple = ['198.51.100.7', 40_000, '1.2.3.4', 80, 6];
const answer: Tuple = ['10.0.0.2', 9000, '10.0.0.1', 2000, 6];

describe('the index of flow keys', () => {
  it('compares every part of a key', () => {
    const { index } = makeIndex([one]);
    assert.ok(index.add(1));
    assert.deepEqual([find(index, original), find(index, answer)], [2, 3]);
    const others: readonly ((tuple: Tuple) => Tuple)[] = [
      ([, ...rest]) => ['198.51.100.8', ...rest],
      ([, ...rest]) => ['::198.51.100.7', ...rest],
      ([source, , ...rest]) => [source, 40_001, ...rest],
      ([source, port, , ...rest]) => [source, port, '1.2.3.5', ...rest],
      ([source, port, destination, , protocol]) => [source, port, destination, 81, protocol],
      ([source, port, destination, other]) => [source, port, destination, other, 17],
    ];
    for (const change of others) {
      assert.equal(find(index, change(original)), 0);
      assert.equal(find(index, change(answer)), 0);
    }
  });

  it('refuses a key that it has, and then has taken neither', () => {
    const sameAnswer = { ...one, client: '198.51.100.8' };
    const { index, rows } = makeIndex([one, one, sameAnswer]);
    assert.deepEqual([index.add(1), index.add(2), index.add(3)], [true, false, false]);
    assert.equal(rows.slots.filter((slot) => slot !== 0).length, 2);
    index.remove(1);
    assert.ok(index.add(3));
  });

  it('finds the rest of a run when keys are taken out of it, in any order', () => {
    const flows = Array.from({ length: 15 }, (_, position) => ({
      ...one,
      clientPort: position,
      snatPort: position,
    }));
    const { index, rows } = makeIndex(flows);
    for (let row = 1; row <= 15; row++) assert.ok(index.add(row));
    const gone = new Set<number>();
    for (let turn = 1; turn <= 15; turn++) {
      const row = ((turn * 7) % 15) + 1;
      index.remove(row);
      gone.add(row);
      for (let other = 1; other <= 15; other++) {
        const key: Tuple = ['10.0.0.2', 9000, '10.0.0.1', other - 1, 6];
        assert.equal(find(index, key), gone.has(other) ? 0 : other * 2 + 1);
      }
    }
    assert.ok(rows.slots.every((slot) => slot === 0));
  });

  it('prefetches whatever it is asked to, and changes nothing', () => {
    const { index, rows } = makeIndex([one]);
    index.add(1);
    const before = rows.slots.slice();
    assert.equal(typeof index.prefetch(Int32Array.of(-3, 0, 5), 3), 'number');
    assert.equal(typeof index.prefetch(new Int32Array(2_000), 2_000), 'number');
    assert.deepEqual(rows.slots, before);
  });
});
