import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { backendsOf, flow, policyOf } from './support.ts';

describe('least connections', () => {
  it('picks who has the fewest connections for its weight', () => {
    const candidates = backendsOf(1, 4, 2);
    const [a, b, c] = candidates;
    [a!.live, b!.live, c!.live] = [3, 11, 6];
    const policy = policyOf('least-connections', candidates);
    assert.equal(policy.pick(flow(0), [], 0), b);
    b!.live++;
    a!.live--;
    assert.equal(policy.pick(flow(0), [], 0), a);
  });

  it('finds no other that carries less', () => {
    const loads = fc.array(fc.tuple(fc.integer({ min: 1, max: 100 }), fc.nat(1000)), {
      minLength: 1,
      maxLength: 9,
    });
    fc.assert(
      fc.property(loads, (given) => {
        const candidates = backendsOf(...given.map(([weight]) => weight));
        candidates.forEach((backend, i) => {
          backend.live = given[i]![1];
        });
        const picked = policyOf('least-connections', candidates).pick(flow(0), [], 0)!;
        for (const { live, weight } of candidates) {
          assert.ok(BigInt(picked.live) * BigInt(weight) <= BigInt(live) * BigInt(picked.weight));
        }
      }),
    );
  });

  it('takes those that tie in turn, so that an idle service uses all its backends', () => {
    const policy = policyOf('least-connections', backendsOf(1, 1, 1));
    const names = Array.from({ length: 6 }, () => policy.pick(flow(0), [], 0)!.name);
    assert.equal(names.join(' '), 'a b c a b c');
  });
});
