import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { balanceNames } from '../../lib/model/spec.ts';
import { backendsOf, flow, place, policyOf } from './support.ts';

const hasAffinity = (name: string): boolean => name === 'maglev' || name === 'source';

for (const name of balanceNames) {
  describe(`the policy ${name}`, () => {
    it('has nobody to pick before it has candidates, and when it has none', () => {
      assert.equal(policyOf(name, []).pick(flow(0), [], 0), null);
    });

    it('picks the only candidate', () => {
      const [only] = backendsOf(7);
      assert.equal(policyOf(name, [only!]).pick(flow(0), [], 0), only);
    });

    it('picks no backend that was tried, none that is full, and one while there is one', () => {
      const state = fc.record({
        weight: fc.integer({ min: 1, max: 9 }),
        live: fc.nat(3),
        wasTried: fc.boolean(),
      });
      fc.assert(
        fc.property(fc.array(state, { minLength: 1, maxLength: 6 }), fc.nat(3), (states, limit) => {
          const candidates = backendsOf(...states.map(({ weight }) => weight));
          candidates.forEach((backend, i) => {
            backend.live = states[i]!.live;
          });
          const tried = candidates.filter((_, i) => states[i]!.wasTried);
          const usable = candidates.filter(
            (backend) => !tried.includes(backend) && (limit === 0 || backend.live < limit),
          );
          const policy = policyOf(name, candidates);
          for (let number = 0; number < 5; number++) {
            const picked = policy.pick(flow(number), tried, limit);
            if (picked !== null) assert.ok(usable.includes(picked));
            else assert.ok(hasAffinity(name) ? usable.length < candidates.length : usable.length === 0);
          }
        }),
        { numRuns: 30 },
      );
    });

    it('forgets candidates that it is given no longer', () => {
      const [a, b] = backendsOf(1, 1);
      const policy = policyOf(name, [a!, b!]);
      policy.rebuild([b!]);
      for (let number = 0; number < 20; number++) assert.equal(policy.pick(flow(number), [], 0), b);
    });

    it('places flows in proportion to the weights', () => {
      const candidates = backendsOf(1, 2, 3, 10);
      place(policyOf(name, candidates), 4000);
      for (const { name: backend, live, weight } of candidates) {
        const share = live / ((4000 * weight) / 16);
        assert.ok(Math.abs(share - 1) < 0.15, `${backend} has ${share} times its share`);
      }
    });
  });
}
