import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anchorList, chooseRow, emptyList, holdRow } from '../../lib/tui/list.ts';

const keys = (count: number) => Array.from({ length: count }, (_, index) => `row ${index}`);

describe('a list', () => {
  it('keeps the chosen row in sight', () => {
    const down = chooseRow(emptyList, 7, keys(20), 5);
    assert.deepEqual(down, { key: 'row 7', isHeld: false, index: 7, offset: 3 });
    assert.deepEqual(chooseRow(down, 4, keys(20), 5), { key: 'row 4', isHeld: false, index: 4, offset: 3 });
    assert.deepEqual(chooseRow(down, 1, keys(20), 5), { key: 'row 1', isHeld: false, index: 1, offset: 1 });
    assert.equal(chooseRow(down, Number.POSITIVE_INFINITY, keys(20), 5).index, 19);
  });

  it('follows a row that is held when the order changes, and stays at its place otherwise', () => {
    const list = chooseRow(emptyList, 1, ['a', 'b', 'c'], 9);
    const held = holdRow(list, true);
    assert.deepEqual(anchorList(held, ['c', 'a', 'b'], 9), { key: 'b', isHeld: true, index: 2, offset: 0 });
    assert.deepEqual(anchorList(list, ['c', 'a', 'b'], 9), { key: 'a', isHeld: false, index: 1, offset: 0 });
  });

  it('stays at its place when the chosen row is gone', () => {
    const list = holdRow(chooseRow(emptyList, 1, ['a', 'b', 'c'], 9), true);
    assert.equal(anchorList(list, ['a', 'c'], 9).key, 'c');
    assert.equal(anchorList(list, [], 9).key, undefined);
  });

  it('is the very same where nothing has changed', () => {
    const list = chooseRow(emptyList, 1, keys(3), 9);
    assert.equal(anchorList(list, keys(3), 9), list);
  });

  it('always shows the chosen row, and as many rows as there is room for', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(30), fc.nat(40), fc.integer({ min: 1, max: 9 }))), (steps) => {
        let list = emptyList;
        for (const [count, wanted, height] of steps) {
          list = chooseRow(list, wanted, keys(count), height);
          assert.equal(list.key, keys(count)[list.index]);
          assert.ok(list.offset <= list.index && list.index < list.offset + height);
          assert.ok(list.offset === 0 || list.offset + height <= count);
        }
      }),
    );
  });
});
