import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WeightedRandom } from '../../lib/balance/random.ts';
import { backendsOf, flow } from './support.ts';

describe('random', () => {
  it('turns each part of [0, 1) into the backend whose weight covers it', () => {
    const numbers = [0, 0.24, 0.25, 0.5, 0.74, 0.75, 1 - 2 ** -53];
    const policy = new WeightedRandom(() => numbers.shift()!);
    policy.rebuild(backendsOf(1, 2, 1));
    const names = Array.from({ length: 7 }, () => policy.pick(flow(0), [], 0)!.name);
    assert.equal(names.join(' '), 'a a b b b c c');
  });

  it('spreads the part of a tried backend over the others', () => {
    const numbers = [0, 0.4, 0.5, 0.9];
    const candidates = backendsOf(1, 2, 1);
    const policy = new WeightedRandom(() => numbers.shift()!);
    policy.rebuild(candidates);
    const names = Array.from({ length: 4 }, () => policy.pick(flow(0), [candidates[1]!], 0)!.name);
    assert.equal(names.join(' '), 'a a c c');
  });
});
