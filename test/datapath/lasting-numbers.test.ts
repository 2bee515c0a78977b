import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LastingNumbers } from '../../lib/datapath/lasting-numbers.ts';
import { SluiceError } from '../../lib/model/errors.ts';

const named = (...names: string[]): ReadonlyMap<string, string> => new Map(names.map((name) => [name, name]));
const never = (): boolean => false;
const always = (): boolean => true;

describe('lasting numbers', () => {
  it('stay while a name is configured, whatever comes and goes beside it', () => {
    const numbers = new LastingNumbers<string>('names', 10);
    numbers.assign(named('a', 'b', 'c'), 1, 1, never);
    const { numberOf, fresh } = numbers.assign(named('d', 'c'), 2, 1, never);
    assert.deepEqual([numberOf('c'), numberOf('d')], [3, 4]);
    assert.deepEqual(fresh, [4]);
  });

  it('retire with the value that the name had last', () => {
    const numbers = new LastingNumbers<string>('names', 10);
    numbers.assign(new Map([['a', 'old']]), 1, 0, never);
    numbers.assign(new Map([['a', 'new']]), 2, 1, never);
    assert.deepEqual(
      numbers.assign(named(), 3, 2, never).all.map(({ value, retired }) => [value, retired]),
      [['new', true]],
    );
  });

  it('are not given away before every worker has heard that they are retired', () => {
    const numbers = new LastingNumbers<string>('names', 10);
    numbers.assign(named('a'), 1, 0, never);
    assert.equal(numbers.assign(named('b'), 2, 1, never).numberOf('b'), 2);
    // Worker at generation 1: it may still open a flow to number 1.
    assert.equal(numbers.assign(named('b', 'c'), 3, 1, never).numberOf('c'), 3);
    assert.equal(numbers.assign(named('b', 'c', 'd'), 4, 2, never).numberOf('d'), 1);
  });

  it('are not given away while a flow uses them', () => {
    const numbers = new LastingNumbers<string>('names', 10);
    numbers.assign(named('a'), 1, 0, always);
    for (let generation = 2; generation < 5; generation++) {
      const { all } = numbers.assign(named(), generation, generation - 1, always);
      assert.deepEqual(
        all.map(({ number, retired }) => [number, retired]),
        [[1, true]],
      );
    }
    assert.deepEqual(numbers.assign(named(), 5, 4, never).all, []);
  });

  it('come back with their name', () => {
    const numbers = new LastingNumbers<string>('names', 10);
    numbers.assign(named('a'), 1, 0, never);
    numbers.assign(named('b'), 2, 1, never);
    const { numberOf, fresh } = numbers.assign(named('b', 'a'), 3, 2, always);
    assert.deepEqual([numberOf('a'), fresh], [1, []]);
  });

  it('refuse more names than there are numbers, and change nothing then', () => {
    const numbers = new LastingNumbers<string>('names', 3);
    numbers.assign(named('a', 'b'), 1, 0, never);
    assert.throws(
      () => numbers.assign(named('a', 'b', 'c'), 2, 1, never),
      (error) => error instanceof SluiceError && error.code === 'ERR_SLUICE_TOO_MANY',
    );
    assert.equal(numbers.assign(named('b'), 2, 1, never).numberOf('b'), 2);
  });
});
