import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backendsOf, flow, place, policyOf } from './support.ts';

describe('two choices', () => {
  it('takes the less loaded of two, which are never the same', () => {
    const candidates = backendsOf(1, 1);
    const [busy, idle] = candidates;
    busy!.live = 5;
    const policy = policyOf('two-choices', candidates);
    for (let number = 0; number < 50; number++) assert.equal(policy.pick(flow(number), [], 0), idle);
  });

  it('never takes the most loaded of three or more', () => {
    const candidates = backendsOf(1, 1, 1, 1);
    candidates[2]!.live = 9;
    const policy = policyOf('two-choices', candidates);
    for (let number = 0; number < 200; number++)
      assert.notEqual(policy.pick(flow(number), [], 0), candidates[2]);
  });

  it('spreads far more evenly than chance', () => {
    const spread = (name: 'random' | 'two-choices'): number => {
      const candidates = backendsOf(...new Array<number>(50).fill(1));
      place(policyOf(name, candidates), 5000);
      const loads = candidates.map(({ live }) => live);
      return Math.max(...loads) - Math.min(...loads);
    };
    assert.ok(spread('two-choices') <= 10);
    assert.ok(spread('random') >= 30);
  });
});
