import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BackendPool } from '../../lib/balance/pool.ts';
import { flow, named, picks, poolOf, poolOptions, spec } from './support.ts';

describe('a pool', () => {
  it('places flows on backends that are up, enabled and have a weight', () => {
    const pool = poolOf([spec('a'), spec('b'), spec('c', 0), spec('d'), spec('e')]);
    pool.setHealth(named(pool, 'b'), false, 'connection refused', 5);
    pool.setAdmin(named(pool, 'd'), 'draining');
    assert.equal(picks(pool, 4), 'a e a e');
    assert.equal(pool.fit, 2);
  });

  it('takes a backend back once it is up, enabled and has a weight again', () => {
    const pool = poolOf([spec('a'), spec('b'), spec('c', 0), spec('d')]);
    pool.setHealth(named(pool, 'b'), false, 'connection refused', 5);
    pool.setAdmin(named(pool, 'd'), 'disabled');
    pool.setHealth(named(pool, 'b'), true, 'ok', 6);
    pool.setAdmin(named(pool, 'd'), 'enabled');
    pool.setWeight(named(pool, 'c'), 1);
    assert.equal(picks(pool, 4), 'a b c d');
  });

  it('does not pick a backend that was tried, and is all down when all were', () => {
    const pool = poolOf([spec('a'), spec('b')]);
    assert.equal(picks(pool, 2, [named(pool, 'a')]), 'b b');
    assert.equal(picks(pool, 1, pool.backends), 'all-down');
  });

  it('is all down without backends', () => {
    assert.equal(picks(poolOf([]), 1), 'all-down');
  });

  it('counts what it places', () => {
    const pool = poolOf([spec('a')]);
    const a = named(pool, 'a');
    pool.claim(a);
    pool.claim(a);
    pool.release(a);
    assert.deepEqual([a.live, a.placed], [1, 2]);
  });

  it('remembers what a check said always, and since when only if the health changed', () => {
    const pool = poolOf([spec('a')]);
    const a = named(pool, 'a');
    pool.setHealth(a, true, 'ok', 10);
    assert.deepEqual([a.up, a.healthLast, a.healthSinceMs], [true, 'ok', 0]);
    pool.setHealth(a, false, 'connection refused', 20);
    assert.deepEqual([a.up, a.healthLast, a.healthSinceMs], [false, 'connection refused', 20]);
  });

  it('raises its epoch when picks may change, and not for what changes nothing', () => {
    const pool = poolOf([spec('a'), spec('b')]);
    const a = named(pool, 'a');
    const epochs = [pool.epoch];
    const note = (): number => epochs.push(pool.epoch);
    pool.setHealth(a, true, 'ok', 1);
    pool.setAdmin(a, 'enabled');
    pool.setWeight(a, 1);
    pool.claim(a);
    pool.release(a);
    pool.update([spec('a'), spec('b')], poolOptions, 1);
    note();
    pool.setWeight(a, 2);
    note();
    pool.setAdmin(a, 'draining');
    note();
    pool.setHealth(a, false, 'timeout', 2);
    note();
    pool.update([spec('a')], poolOptions, 3);
    note();
    const first = epochs[0]!;
    assert.deepEqual(epochs, [first, first, first + 1, first + 2, first + 3, first + 4]);
  });
});

describe('a pool whose backends are all down', () => {
  const allDown = (pool: BackendPool, ...order: string[]): void => {
    for (const [index, name] of order.entries())
      pool.setHealth(named(pool, name), false, 'timeout', index + 1);
  };

  it('says so when it is to reject or to drop', () => {
    for (const whenAllDown of ['reject', 'drop'] as const) {
      const pool = poolOf([spec('a'), spec('b')], { whenAllDown });
      allDown(pool, 'a', 'b');
      assert.equal(picks(pool, 1), 'all-down');
    }
  });

  it('uses the one that was up last, which does not count as fit', () => {
    const pool = poolOf([spec('a'), spec('b'), spec('c')], { whenAllDown: 'last-known' });
    allDown(pool, 'b', 'a', 'c');
    assert.equal(picks(pool, 2), 'c c');
    assert.equal(pool.fit, 0);
  });

  it('uses all that may have gone down at the same time as the last', () => {
    const pool = poolOf([spec('a'), spec('b'), spec('c')], { whenAllDown: 'last-known', noticeMs: 1 });
    allDown(pool, 'b', 'a', 'c');
    assert.equal(picks(pool, 2), 'a c');
  });

  it('uses of those that are enabled the one that was up last', () => {
    const pool = poolOf([spec('a'), spec('b'), spec('c'), spec('d', 0)], { whenAllDown: 'last-known' });
    allDown(pool, 'b', 'a', 'c');
    pool.setAdmin(named(pool, 'c'), 'draining');
    assert.equal(picks(pool, 2), 'a a');
    pool.update([spec('b'), spec('d', 0)], { ...poolOptions, whenAllDown: 'last-known' }, 4);
    assert.equal(picks(pool, 2), 'b b');
  });

  it('goes back to those that are up as soon as one is', () => {
    const pool = poolOf([spec('a'), spec('b')], { whenAllDown: 'last-known' });
    allDown(pool, 'a', 'b');
    pool.setHealth(named(pool, 'a'), true, 'ok', 2);
    assert.equal(picks(pool, 2), 'a a');
  });

  it('does as a reload says from then on', () => {
    const pool = poolOf([spec('a')]);
    allDown(pool, 'a');
    assert.equal(picks(pool, 1), 'all-down');
    pool.update([spec('a')], { ...poolOptions, whenAllDown: 'last-known' }, 2);
    assert.equal(picks(pool, 1), 'a');
  });
});

describe('a pool with a limit of connections', () => {
  it('skips full backends, and is full when all are', () => {
    const pool = poolOf([spec('a'), spec('b')], { maxConnections: 1 });
    pool.claim(named(pool, 'a'));
    assert.equal(picks(pool, 2), 'b b');
    pool.claim(named(pool, 'b'));
    assert.equal(picks(pool, 1), 'all-full');
    assert.equal(picks(pool, 1, [named(pool, 'a')]), 'all-full');
  });

  it('is full for a flow with affinity as soon as its own backend is', () => {
    const pool = poolOf([spec('a'), spec('b')], { balance: 'source', maxConnections: 1 });
    const own = pool.pick(flow(0), []);
    assert.ok(typeof own !== 'string');
    pool.claim(own);
    assert.equal(pool.pick(flow(0), []), 'all-full');
    pool.release(own);
    assert.equal(pool.pick(flow(0), []), own);
  });

  it('tells who waits when a connection ends, a backend comes up or the limit rises', () => {
    const pool = poolOf([spec('a'), spec('b')], { maxConnections: 1 });
    const [a, b] = [named(pool, 'a'), named(pool, 'b')];
    pool.setHealth(b, false, 'timeout', 1);
    pool.claim(a);
    const seen: string[] = [];
    pool.onRoom = () => seen.push(picks(pool, 1));
    pool.release(a);
    pool.claim(a);
    pool.setHealth(b, true, 'ok', 2);
    pool.claim(b);
    pool.update([spec('a'), spec('b')], { ...poolOptions, maxConnections: 2 }, 3);
    assert.deepEqual(seen, ['a', 'b', 'a']);
  });

  it('may be claimed from within that call', () => {
    const pool = poolOf([spec('a')], { maxConnections: 1 });
    const a = named(pool, 'a');
    pool.claim(a);
    pool.onRoom = () => {
      if (pool.pick(flow(0), []) === a) pool.claim(a);
    };
    pool.release(a);
    assert.deepEqual([a.live, a.placed], [1, 2]);
  });
});

describe('a copy of a pool', () => {
  it('has the same candidates, in objects of its own', () => {
    const pool = poolOf([spec('a', 3), spec('b'), spec('c')], { balance: 'maglev' });
    pool.claim(named(pool, 'a'));
    pool.setHealth(named(pool, 'b'), false, 'timeout', 5);
    pool.setWeight(named(pool, 'c'), 7);
    const copy = pool.copy();
    assert.deepEqual(copy.backends, pool.backends);
    assert.ok(copy.backends.every((backend) => !pool.backends.includes(backend)));
    assert.equal(picks(copy, 30), picks(pool, 30));
  });

  it('can be changed without the pool', () => {
    const pool = poolOf([spec('a'), spec('b')]);
    const copy = pool.copy();
    copy.update([spec('c')], poolOptions, 9);
    copy.setAdmin(named(copy, 'c'), 'draining');
    assert.equal(picks(pool, 4), 'a b a b');
    assert.deepEqual(
      pool.candidates.map(({ name }) => name),
      ['a', 'b'],
    );
  });

  it('knows who was up last', () => {
    const pool = poolOf([spec('a'), spec('b')], { whenAllDown: 'last-known' });
    pool.setHealth(named(pool, 'b'), false, 'timeout', 5);
    pool.setHealth(named(pool, 'a'), false, 'timeout', 6);
    assert.equal(picks(pool.copy(), 2), 'a a');
  });
});
