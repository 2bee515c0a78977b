import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnwellError } from '../../../lib/health/reason.ts';
import { ask, type Probe } from '../../../lib/health/session/probe.ts';
import { unwell, well } from './loopback.ts';

const target = { host: '192.0.2.1', port: 80, backendName: 'web-1' };
const never = new AbortController().signal;

describe('asking a probe', () => {
  it('tells that it passed', async () => {
    assert.deepEqual(await ask(async () => undefined, target, never), well);
  });

  it('tells why it did not, and does not throw', async () => {
    const wrong: Probe = () => Promise.reject(new UnwellError('status 503'));
    assert.deepEqual(await ask(wrong, target, never), unwell('status 503'));
  });

  it('tells how far the question came', async () => {
    const failing =
      (code: string): Probe =>
      () =>
        Promise.reject(Object.assign(new Error(code), { code }));
    const answered: Probe = async (_target, signal, heard) => {
      heard();
      signal.throwIfAborted();
    };
    assert.deepEqual(
      await ask(failing('ECONNREFUSED'), target, never),
      unwell('connection refused', 'backend'),
    );
    assert.deepEqual(
      await ask(failing('EHOSTUNREACH'), target, never),
      unwell('host unreachable', 'unknown'),
    );
    assert.deepEqual(
      await ask(failing('EADDRINUSE'), target, never),
      unwell('no local port left', 'nowhere'),
    );
    assert.deepEqual(await ask(answered, target, AbortSignal.abort()), unwell('timed out', 'backend'));
  });

  it('has timed out once it is aborted, whatever the probe does then', async () => {
    const timeout = new AbortController();
    const result = ask(() => new Promise(() => undefined), target, timeout.signal);
    timeout.abort();
    assert.deepEqual(await result, unwell('timed out', 'unknown'));
  });
});
