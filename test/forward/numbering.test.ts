import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Numbering } from '../../lib/forward/numbering.ts';

const nobody = (): boolean => false;

function numbers(
  numbering: Numbering,
  names: readonly string[],
  inUse = nobody as (number: number) => boolean,
) {
  return numbering
    .assign(names, inUse)
    ?.map(({ name, number, retired }) => `${name} ${number}${retired ? ' retired' : ''}`);
}

describe('numbers for names', () => {
  it('begin at 1 and stay', () => {
    const numbering = new Numbering(10);
    assert.deepEqual(numbers(numbering, ['a', 'b']), ['a 1', 'b 2']);
    assert.deepEqual(numbers(numbering, ['b', 'c', 'a']), ['a 1', 'b 2', 'c 3']);
  });

  it('are kept for a name that is gone while they are in use, and given away after', () => {
    const numbering = new Numbering(10);
    numbering.assign(['a', 'b'], nobody);
    assert.deepEqual(
      numbers(numbering, ['c'], (number) => number === 1),
      ['c 2', 'a 1 retired'],
    );
    assert.deepEqual(numbers(numbering, ['a', 'c'], nobody), ['a 1', 'c 2'], 'it may come back');
    assert.deepEqual(numbers(numbering, ['d', 'c'], nobody), ['c 2', 'd 1']);
  });

  it('run out, and then nothing has changed', () => {
    const numbering = new Numbering(3);
    numbering.assign(['a', 'b'], nobody);
    assert.equal(numbering.assign(['a', 'c', 'd'], nobody), undefined);
    assert.deepEqual(numbers(numbering, ['b', 'a']), ['a 1', 'b 2']);
  });

  it('are one to one, and lasting, whatever comes and goes', () => {
    const round = fc.tuple(fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')), fc.nat(127));
    fc.assert(
      fc.property(fc.array(round), (rounds) => {
        const numbering = new Numbering(8);
        let before = new Map<string, number>();
        for (const [names, used] of rounds) {
          const inUse = (number: number): boolean => ((used >> (number - 1)) & 1) === 1;
          const now = numbering.assign(names, inUse);
          if (now === undefined) continue;
          const held = new Set(now.map(({ number }) => number));
          assert.equal(held.size, now.length);
          for (const { name, number, retired } of now) {
            assert.equal(before.get(name) ?? number, number);
            assert.equal(retired, !(names as readonly string[]).includes(name));
            assert.ok(number >= 1 && number < 8);
          }
          for (const [name, number] of before) {
            if (inUse(number)) assert.equal(now.find((one) => one.name === name)?.number, number);
          }
          before = new Map(now.map(({ name, number }) => [name, number]));
        }
      }),
    );
  });
});
