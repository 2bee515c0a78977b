import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { probeFor } from '../../../lib/health/session/probe-for.ts';
import { tcpProbe } from '../../../lib/health/session/tcp.ts';
import { type CheckSpec, defaultCheckTiming } from '../../../lib/model/spec.ts';
import { closedPort, serve, tell, unwell, well } from './loopback.ts';

const checks: readonly CheckSpec[] = [
  { ...defaultCheckTiming, type: 'tcp' },
  { ...defaultCheckTiming, type: 'http', tls: false, path: '/', status: [200, 399] },
  { ...defaultCheckTiming, type: 'udp', send: '00' },
  { ...defaultCheckTiming, type: 'expect', expect: 'x' },
];

describe('the probe for a check', () => {
  it('is none where there is no check', () => assert.equal(probeFor({ type: 'none' }), undefined));

  for (const check of checks) {
    it(`asks the backend's own port for ${check.type}`, async () => {
      assert.deepEqual(await tell(probeFor(check)!, await closedPort()), unwell('connection refused'));
    });
  }

  it("asks the check's port where it has one", async (t) => {
    const probe = probeFor({ ...defaultCheckTiming, type: 'tcp', port: await serve(t) });
    assert.deepEqual(await tell(probe!, await closedPort()), well);
    assert.notEqual(probe, tcpProbe);
  });

  it('is a command for exec', async () => {
    assert.deepEqual(
      await tell(probeFor({ ...defaultCheckTiming, type: 'exec', command: 'exit 4' })!, 1),
      unwell('exit code 4'),
    );
  });
});
