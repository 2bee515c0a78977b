import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PortPool } from '../../lib/conntrack/port-pool.ts';

function makePool(size: number, banks = 4): PortPool {
  return new PortPool({ firstPort: 2000, lastPort: 2000 + size - 1, endpoints: 4, addresses: 3, banks });
}

describe('a pool of source ports', () => {
  it('gives every port of the range once, then none', () => {
    for (const size of [1, 31, 32, 33, 64, 100]) {
      const pool = makePool(size);
      const given = Array.from({ length: size }, () => pool.take(1, 1));
      assert.deepEqual(
        given,
        Array.from({ length: size }, (_, index) => 2000 + index),
      );
      assert.equal(pool.take(1, 1), 0);
      assert.equal(pool.used(1, 1), size);
    }
  });

  it('begins where it is told, in every bank, and goes round', () => {
    const options = { firstPort: 2000, lastPort: 2039, endpoints: 4, addresses: 3, banks: 4 };
    const pool = new PortPool({ ...options, start: 38 });
    const given = Array.from({ length: 40 }, () => pool.take(1, 1));
    assert.deepEqual([given.slice(0, 3), new Set(given).size], [[2038, 2039, 2000], 40]);
    assert.equal(pool.take(2, 1), 2038);
  });

  it('gives the same port again for another endpoint and for another address', () => {
    const pool = makePool(1);
    assert.deepEqual([pool.take(1, 1), pool.take(2, 1), pool.take(1, 2)], [2000, 2000, 2000]);
    assert.equal(pool.take(1, 1), 0);
  });

  it('gives a port that came back at once when it has no other, and last when it has', () => {
    const pool = makePool(3);
    for (let turn = 0; turn < 3; turn++) pool.take(1, 1);
    pool.release(1, 1, 2001);
    assert.equal(pool.take(1, 1), 2001);
    pool.release(1, 1, 2001);
    pool.release(1, 1, 2002);
    assert.equal(pool.take(1, 1), 2002, 'the cursor stands behind 2001');
    assert.equal(pool.take(1, 1), 2001);
  });

  it('comes round to the lower ports, not to what is behind the range', () => {
    const pool = makePool(5);
    for (let turn = 0; turn < 5; turn++) pool.take(1, 1);
    pool.release(1, 1, 2001);
    assert.equal(pool.take(1, 1), 2001);
    pool.release(1, 1, 2000);
    assert.equal(pool.take(1, 1), 2000);
  });

  it('takes a port back once, and never one outside the range', () => {
    const pool = makePool(2);
    const port = pool.take(1, 1);
    for (const other of [port, port, 1999, 2002, 0]) pool.release(1, 1, other);
    pool.release(2, 1, 2000);
    assert.equal(pool.used(1, 1), 0);
    assert.deepEqual([pool.take(1, 1), pool.take(1, 1), pool.take(1, 1)], [2001, 2000, 0]);
  });

  it("can be told which ports are taken, which changes nobody's turn", () => {
    const pool = makePool(3);
    assert.equal(pool.claim(1, 1, 2001), true);
    assert.equal(pool.claim(1, 1, 2001), false);
    assert.equal(pool.claim(1, 1, 1999), false);
    assert.equal(pool.claim(1, 1, 2003), false);
    assert.deepEqual([pool.take(1, 1), pool.take(1, 1), pool.take(1, 1)], [2000, 2002, 0]);
  });

  it('serves as many pairs at a time as it has banks, and others when endpoints retire', () => {
    const pool = makePool(4, 2);
    const port = pool.take(1, 1);
    assert.notEqual(pool.take(2, 1), 0);
    assert.equal(pool.take(3, 1), 0);
    assert.equal(pool.claim(3, 1, 2000), false);
    pool.retire(1);
    assert.equal(pool.take(3, 1), 0, 'a port of endpoint 1 is in use still');
    pool.release(1, 1, port);
    pool.retire(1);
    assert.equal(pool.take(3, 1), 2000);
  });

  it('names the ports that were given longest ago first', () => {
    const pool = makePool(4);
    for (let turn = 0; turn < 4; turn++) pool.take(1, 1);
    pool.release(1, 1, 2000);
    assert.equal(pool.take(1, 1), 2000);
    assert.deepEqual(
      [0, 1, 2, 3].map((distance) => pool.peek(1, 1, distance)),
      [2001, 2002, 2003, 2000],
    );
  });

  it('agrees with a naive set: no port twice, none refused while one is free', () => {
    const pair = fc.record({
      endpoint: fc.integer({ min: 1, max: 2 }),
      address: fc.integer({ min: 1, max: 2 }),
    });
    const step = fc.record({ pair, take: fc.constantFrom(true, true, false), which: fc.nat(39) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.constantFrom(5, 32, 40), (steps, size) => {
        const pool = makePool(size);
        const taken = new Map<string, Set<number>>();
        for (const { pair: of, take, which } of steps) {
          const key = `${of.endpoint} ${of.address}`;
          const ports = taken.get(key) ?? new Set();
          taken.set(key, ports);
          if (take) {
            const port = pool.take(of.endpoint, of.address);
            assert.equal(port === 0, ports.size === size);
            assert.ok(!ports.has(port));
            if (port !== 0) ports.add(port);
            assert.ok(port === 0 || (port >= 2000 && port < 2000 + size));
          } else {
            // Of the range for the most part, and now and then the one behind it.
            const port = 2000 + (which % (size + 1));
            pool.release(of.endpoint, of.address, port);
            ports.delete(port);
          }
          assert.equal(pool.used(of.endpoint, of.address), ports.size);
        }
      }),
    );
  });
});
