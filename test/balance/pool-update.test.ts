import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Backend } from '../../lib/balance/backend.ts';
import { flow, named, picks, poolOf, poolOptions, spec } from './support.ts';

const names = (backends: readonly Backend[]): string => backends.map(({ name }) => name).join(' ');

describe('an updated pool', () => {
  it('keeps every backend and moves nothing when nothing changed', () => {
    const specs = [spec('a'), spec('b', 2)];
    const pool = poolOf(specs, { balance: 'maglev' });
    const before = [...pool.backends];
    const placed = picks(pool, 50);
    assert.deepEqual(pool.update(structuredClone(specs), { ...poolOptions, balance: 'maglev' }, 9), {
      added: [],
      removed: [],
      changed: [],
    });
    assert.deepEqual(pool.backends, before);
    assert.equal(picks(pool, 50), placed);
  });

  it('reports what came, what went and what has another weight, in the new order', () => {
    const pool = poolOf([spec('a'), spec('b'), spec('c')]);
    const b = named(pool, 'b');
    const { added, removed, changed } = pool.update([spec('d'), spec('b', 5), spec('a')], poolOptions, 9);
    assert.deepEqual([names(added), names(removed), names(changed)], ['d', 'c', 'b']);
    assert.equal(names(pool.backends), 'd b a');
    assert.equal(named(pool, 'b'), b);
    assert.equal(b.weight, 5);
    assert.equal(added[0]!.healthSinceMs, 9);
  });

  it('keeps health, connections and what a person has set', () => {
    const pool = poolOf([spec('a'), spec('b')]);
    const a = named(pool, 'a');
    pool.claim(a);
    pool.setHealth(a, false, 'timeout', 3);
    pool.setAdmin(a, 'draining');
    pool.setWeight(a, 7);
    pool.update([spec('a'), spec('c')], poolOptions, 9);
    assert.equal(named(pool, 'a'), a);
    assert.deepEqual([a.live, a.up, a.admin, a.weight], [1, false, 'draining', 7]);
  });

  it('drops a weight that a person has set only for another configured one', () => {
    const pool = poolOf([spec('a', 3)]);
    const a = named(pool, 'a');
    pool.setWeight(a, 7);
    assert.equal(names(pool.update([spec('a', 3)], poolOptions, 9).changed), '');
    assert.equal(a.weight, 7);
    assert.equal(names(pool.update([spec('a', 4)], poolOptions, 9).changed), 'a');
    assert.equal(a.weight, 4);
  });

  it('lets a removed backend keep its connections, gives it no new ones and forgets it with the last', () => {
    const pool = poolOf([spec('a'), spec('b')]);
    const a = named(pool, 'a');
    pool.claim(a);
    pool.claim(a);
    pool.update([spec('b')], poolOptions, 9);
    assert.equal(a.state, 'draining');
    assert.equal(names(pool.backends), 'b a');
    assert.equal(picks(pool, 3), 'b b b');
    pool.release(a);
    assert.equal(names(pool.backends), 'b a');
    assert.equal(names(pool.update([spec('b')], poolOptions, 10).removed), '');
    pool.release(a);
    assert.equal(names(pool.backends), 'b');
  });

  it('takes a backend that moved for another one', () => {
    const pool = poolOf([spec('a', 1, 80)]);
    const old = named(pool, 'a');
    pool.claim(old);
    const { added, removed } = pool.update([spec('a', 1, 81)], poolOptions, 9);
    assert.deepEqual(removed, [old]);
    assert.deepEqual(
      added.map(({ port }) => port),
      [81],
    );
    assert.equal(pool.pick(flow(0), []), added[0]);
    assert.deepEqual(pool.backends, [added[0], old]);
  });

  it('takes a removed backend back as it was, while it has not vanished', () => {
    const pool = poolOf([spec('a'), spec('b')]);
    const a = named(pool, 'a');
    pool.claim(a);
    pool.update([spec('b')], poolOptions, 9);
    assert.deepEqual(pool.update([spec('a'), spec('b')], poolOptions, 10).added, [a]);
    assert.deepEqual([a.removed, a.live, a.state], [false, 1, 'up']);
    assert.equal(picks(pool, 2), 'a b');
  });

  it('balances by another policy from the next flow on', () => {
    const pool = poolOf([spec('a'), spec('b'), spec('c')]);
    assert.equal(picks(pool, 3), 'a b c');
    pool.update([spec('a'), spec('b'), spec('c')], { ...poolOptions, balance: 'source' }, 9);
    const first = pool.pick(flow(0), []);
    for (let i = 0; i < 10; i++) assert.equal(pool.pick({ ...flow(0), clientPort: i }, []), first);
  });
});
