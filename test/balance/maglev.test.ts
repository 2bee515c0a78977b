import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Backend } from '../../lib/balance/backend.ts';
import { backendsOf, flow, policyOf } from './support.ts';

const numbers = Array.from({ length: 1000 }, (_, number) => number);
const weights = [1, 1, 1, 1, 1];

describe('maglev', () => {
  it('places a flow alike on two balancers, in whatever order they know the backends', () => {
    const candidates = backendsOf(...weights);
    const here = policyOf('maglev', candidates);
    const there = policyOf('maglev', backendsOf(...weights).reverse());
    for (const number of numbers) {
      assert.equal(there.pick(flow(number), [], 0)!.name, here.pick(flow(number), [], 0)!.name);
    }
  });

  it('keeps nearly every flow where it is when another backend goes', () => {
    const candidates = backendsOf(...weights);
    const policy = policyOf('maglev', candidates);
    const before = numbers.map((number) => policy.pick(flow(number), [], 0));
    policy.rebuild(candidates.slice(1));
    const moved = numbers.filter(
      (number) => before[number] !== candidates[0] && before[number] !== policy.pick(flow(number), [], 0),
    );
    assert.ok(moved.length < 10, `${moved.length} of 1000 moved`);
  });

  it('sends a flow whose backend was tried to another, the same each time and not the same for all', () => {
    const candidates = backendsOf(...weights);
    const policy = policyOf('maglev', candidates);
    const seconds = new Set<Backend>();
    for (const number of numbers) {
      const first = policy.pick(flow(number), [], 0)!;
      const second = policy.pick(flow(number), [first], 0)!;
      assert.notEqual(second, first);
      assert.equal(policy.pick(flow(number), [first], 0), second);
      if (first === candidates[0]) seconds.add(second);
    }
    assert.equal(seconds.size, 4);
  });

  it('lets a flow wait for its own backend rather than go where there is room', () => {
    const candidates = backendsOf(...weights);
    const policy = policyOf('maglev', candidates);
    const own = policy.pick(flow(1), [], 0)!;
    own.live = 2;
    assert.equal(policy.pick(flow(1), [], 2), null);
    own.live = 1;
    assert.equal(policy.pick(flow(1), [], 2), own);
  });

  it('tells the flows of one client apart', () => {
    const policy = policyOf('maglev', backendsOf(...weights));
    const picked = numbers.map((number) => policy.pick({ ...flow(0), clientPort: 1024 + number }, [], 0));
    assert.equal(new Set(picked).size, 5);
  });
});

describe('source', () => {
  it('sends all flows of one client to one backend, and clients to all', () => {
    const policy = policyOf('source', backendsOf(...weights));
    const ofOneClient = numbers.map((number) =>
      policy.pick({ ...flow(7), clientPort: 1024 + number, vipPort: number, protocol: 'udp' }, [], 0),
    );
    assert.deepEqual(new Set(ofOneClient), new Set([policy.pick(flow(7), [], 0)]));
    const ofAll = numbers.map((number) => policy.pick(flow(number), [], 0));
    assert.equal(new Set(ofAll).size, 5);
  });
});
