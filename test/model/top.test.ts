import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Top } from '../../lib/model/top.ts';

const ascending = (one: number, other: number) => one - other;

describe('the first few of many', () => {
  it('are what sorting all of them would have put first', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 99 })), fc.nat(12), (items, limit) => {
        const top = new Top<number>(limit, ascending);
        for (const item of items) top.offer(item);
        assert.deepEqual(top.sorted(), items.toSorted(ascending).slice(0, limit));
      }),
    );
  });

  it('cost one comparison for each that comes too late', () => {
    let comparisons = 0;
    const top = new Top<number>(3, (one, other) => {
      comparisons++;
      return one - other;
    });
    for (const item of [1, 2, 3]) top.offer(item);
    comparisons = 0;
    for (let item = 4; item < 1_004; item++) top.offer(item);
    assert.equal(comparisons, 1_000);
  });
});
