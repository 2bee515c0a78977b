import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Backend } from '../../lib/balance/backend.ts';
import { BackendHistories } from '../../lib/daemon/backend-history.ts';

function newBackend(): Backend {
  return new Backend({ name: 'a', host: '10.0.0.1', port: 80, weight: 1 }, 0);
}

describe('the history of a backend', () => {
  it('has each state that it came into, when and why', () => {
    const [histories, backend] = [new BackendHistories(), newBackend()];
    histories.observe(backend, 0);
    backend.healthLast = 'ok';
    histories.observe(backend, 100);
    Object.assign(backend, { up: false, healthLast: 'connection refused' });
    histories.observe(backend, 200);
    Object.assign(backend, { up: true, healthLast: 'ok', admin: 'draining' });
    histories.observe(backend, 300);
    backend.admin = 'disabled';
    histories.observe(backend, 400);
    assert.deepEqual(histories.view(backend, 1_000), [
      { state: 'up', reason: 'unchecked', agoMs: 1_000 },
      { state: 'down', reason: 'connection refused', agoMs: 800 },
      { state: 'draining', reason: 'asked for', agoMs: 700 },
      { state: 'disabled', reason: 'asked for', agoMs: 600 },
    ]);
  });

  it('tells why a backend drains that nobody asked to', () => {
    const histories = new BackendHistories();
    const reason = (change: Partial<Backend>): string => {
      const backend = Object.assign(newBackend(), change);
      histories.observe(backend, 0);
      return histories.view(backend, 0)[0]!.reason;
    };
    assert.equal(reason({ weight: 0 }), 'weight 0');
    assert.equal(reason({ removed: true }), 'no longer configured');
  });

  it('keeps the last few', () => {
    const [histories, backend] = [new BackendHistories(), newBackend()];
    for (let atMs = 0; atMs < 20; atMs++) {
      backend.up = atMs % 2 === 0;
      histories.observe(backend, atMs);
    }
    const changes = histories.view(backend, 20);
    assert.deepEqual([changes.length, changes[0]!.agoMs, changes.at(-1)!.agoMs], [8, 8, 1]);
  });
});
