import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Backend } from '../../lib/balance/backend.ts';
import { backendsOf, flow, policyOf } from './support.ts';

/** The algorithm as nginx describes it, with maps and sorting, to run beside ours. */
function naiveTwin(candidates: readonly Backend[]): (tried: readonly Backend[]) => Backend | null {
  const credits = new Map(candidates.map((backend) => [backend, 0]));
  return (tried) => {
    const usable = candidates.filter((backend) => !tried.includes(backend));
    for (const backend of usable) credits.set(backend, credits.get(backend)! + backend.weight);
    const [winner] = usable.toSorted((a, b) => credits.get(b)! - credits.get(a)!);
    if (winner === undefined) return null;
    const total = usable.reduce((sum, { weight }) => sum + weight, 0);
    credits.set(winner, credits.get(winner)! - total);
    return winner;
  };
}

describe('round robin', () => {
  it('interleaves a heavy backend with the light ones', () => {
    const policy = policyOf('round-robin', backendsOf(5, 1, 1));
    const names = Array.from({ length: 14 }, () => policy.pick(flow(0), [], 0)!.name);
    assert.equal(names.join(' '), 'a a b a c a a a a b a c a a');
  });

  it('takes equal backends in turn', () => {
    const policy = policyOf('round-robin', backendsOf(3, 3, 3));
    const names = Array.from({ length: 6 }, () => policy.pick(flow(0), [], 0)!.name);
    assert.equal(names.join(' '), 'a b c a b c');
  });

  it('gives each backend exactly its weight in each cycle', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const candidates = backendsOf(...weights);
        const policy = policyOf('round-robin', candidates);
        const cycle = weights.reduce((sum, weight) => sum + weight, 0);
        for (let pick = 0; pick < 2 * cycle; pick++) policy.pick(flow(0), [], 0)!.live++;
        assert.deepEqual(
          candidates.map(({ live }) => live),
          weights.map((weight) => 2 * weight),
        );
      }),
    );
  });

  it('does as its naive twin does, whoever was tried', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 });
    // Bit i of each number: whether backend i was tried.
    const steps = fc.array(fc.nat(63), { maxLength: 60 });
    fc.assert(
      fc.property(weights, steps, (given, triedBits) => {
        const candidates = backendsOf(...given);
        const policy = policyOf('round-robin', candidates);
        const twin = naiveTwin(candidates);
        for (const bits of triedBits) {
          const tried = candidates.filter((_, i) => ((bits >> i) & 1) === 1);
          assert.equal(policy.pick(flow(0), tried, 0), twin(tried));
        }
      }),
    );
  });
});
