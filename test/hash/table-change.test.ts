import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { buildMaglev, noBackend } from '../../lib/hash/maglev.ts';
import { SipHash } from '../../lib/hash/siphash.ts';
import { compareTables, type OwnedTable, slotsOf } from '../../lib/hash/table-change.ts';

/** A table as a string of one-letter backends; a dot is nobody's slot. */
function table(text: string, names = [...new Set(text.replaceAll('.', ''))]): OwnedTable {
  const owners = [...text].map((name) => (name === '.' ? noBackend : names.indexOf(name)));
  return { table: Uint16Array.from(owners), names };
}

const hash = new SipHash('000102030405060708090a0b0c0d0e0f');

function maglev(weights: Readonly<Record<string, number>>, size = 1009): OwnedTable {
  const backends = Object.entries(weights).map(([name, weight]) => ({ name, weight }));
  return { table: buildMaglev(backends, hash, size), names: backends.map(({ name }) => name) };
}

describe('the change of a Maglev table', () => {
  it('counts the slots that move, and those that had to', () => {
    assert.deepEqual(compareTables(table('aabbcc'), table('babdbd')), { slots: 6, moved: 4, unavoidable: 3 });
  });

  it('knows backends by their names, whatever their places', () => {
    const one = table('abcabc', ['a', 'b', 'c']);
    assert.deepEqual(compareTables(one, table('abcabc', ['c', 'a', 'b'])), {
      slots: 6,
      moved: 0,
      unavoidable: 0,
    });
  });

  it('counts nobody as one more owner', () => {
    assert.equal(compareTables(table('....'), table('aabb')).unavoidable, 4);
    assert.deepEqual(compareTables(table('aabb'), table('....')), { slots: 4, moved: 4, unavoidable: 4 });
    assert.deepEqual(compareTables(table('....'), table('....')), { slots: 4, moved: 0, unavoidable: 0 });
  });

  it('has to move what a backend had that is no more', () => {
    const before = maglev({ a: 1, b: 1, c: 1 });
    const { moved, unavoidable } = compareTables(before, maglev({ a: 1, b: 1 }));
    assert.equal(unavoidable, slotsOf(before)[2]);
    assert.ok(moved >= unavoidable);
  });

  it('moves no more than all, and no less than it has to, whatever the backends', () => {
    const weights = fc.dictionary(fc.constantFrom(...'abcdefgh'), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(weights, weights, (before, after) => {
        const [one, other] = [maglev(before, 101), maglev(after, 101)];
        const { slots, moved, unavoidable } = compareTables(one, other);
        assert.ok(0 <= unavoidable && unavoidable <= moved && moved <= slots);
        const back = compareTables(other, one);
        assert.deepEqual([back.moved, back.unavoidable], [moved, unavoidable]);
      }),
    );
  });
});
