import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Backend } from '../../lib/balance/backend.ts';
import { hasRoom } from '../../lib/balance/candidate.ts';
import { spec } from './support.ts';

describe('a backend', () => {
  it('begins up, unchecked, enabled and idle, at the host that was configured', () => {
    const { address, up, healthLast, healthSinceMs, admin, live, state } = new Backend(spec('a'), 70);
    assert.deepEqual(
      { address, up, healthLast, healthSinceMs, admin, live, state },
      {
        address: 'a.internal',
        up: true,
        healthLast: 'unchecked',
        healthSinceMs: 70,
        admin: 'enabled',
        live: 0,
        state: 'up',
      },
    );
  });

  const states = [
    ['up', {}],
    ['down', { up: false }],
    ['draining', { admin: 'draining' }],
    ['draining', { weight: 0 }],
    ['draining', { removed: true }],
    ['draining', { removed: true, up: false }],
    ['draining', { removed: true, admin: 'disabled' }],
    ['down', { admin: 'draining', up: false }],
    ['down', { weight: 0, up: false }],
    ['disabled', { admin: 'disabled' }],
    ['disabled', { admin: 'disabled', up: false, weight: 0 }],
  ] as const;
  for (const [state, fields] of states) {
    it(`is ${state} with ${JSON.stringify(fields)}`, () => {
      assert.equal(Object.assign(new Backend(spec('a'), 0), fields).state, state);
    });
  }

  it('has room below the limit, and always without one', () => {
    const backend = new Backend(spec('a'), 0);
    backend.live = 2;
    assert.deepEqual(
      [0, 1, 2, 3].map((limit) => hasRoom(backend, limit)),
      [true, false, false, true],
    );
  });
});
