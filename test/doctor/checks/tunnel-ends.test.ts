import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkQueueForTunnels, checkTunnelEnds } from '../../../lib/doctor/checks/tunnel-ends.ts';
import type { TunnelEndFacts } from '../../../lib/doctor/readers/tunnel-ends.ts';
import { caseOf, told, well } from '../well.ts';

const trial = { vip: '192.0.2.10', from: '10.0.0.1', arrived: true };
const end: TunnelEndFacts = { name: 'backend', trials: [trial], dropped: { strangers: 0, notForVip: 0 } };
const of = (...tunnelEnds: readonly TunnelEndFacts[]) =>
  told(checkTunnelEnds(caseOf('backend', { tunnelEnds })));

describe('the end of tunnels', () => {
  it('is well when a packet that went in came out', () => {
    assert.deepEqual(of(end), ['ok: a packet from 10.0.0.1 came out at 192.0.2.10']);
  });

  it('is not when it did not', () => {
    assert.deepEqual(of({ ...end, trials: [trial, { ...trial, vip: '192.0.2.11', arrived: false }] }), [
      'ok: a packet from 10.0.0.1 came out at 192.0.2.10',
      'fault: a packet from 10.0.0.1 did not come out at 192.0.2.11',
    ]);
  });

  it('cannot be tried where none runs, or nothing can be sent, and need not be without a tunnel', () => {
    assert.deepEqual(of(), [
      'moot: no sluice backend runs here: start it, and ask again for a packet through it',
    ]);
    assert.deepEqual(of({ ...end, trials: [{ ...trial, arrived: false, error: 'not permitted' }] }), [
      'moot: no packet from 10.0.0.1 could be sent: not permitted',
    ]);
    assert.deepEqual(of({ ...end, trials: [] }), ['ok: backend has none: requests come to its link address']);
  });

  it('tells of packets from where none may come, of which --from may lack one', () => {
    const findings = checkTunnelEnds(
      caseOf('backend', { tunnelEnds: [{ ...end, dropped: { strangers: 7, notForVip: 3 } }] }),
    );
    assert.deepEqual(
      told(findings)[1],
      'warning: 7 packets came in tunnels from elsewhere, and were dropped',
    );
    assert.match(findings[1]!.advice!, /--from of backend/);
  });

  it('takes no packet queue where the kernel takes in every tunnel', () => {
    const row = (gre: boolean) => {
      const { kernel } = well;
      const parts = { queueError: 'ERR_NFQ_UNSUPPORTED', tunnels: { ...kernel.tunnels, gre } };
      return checkQueueForTunnels(caseOf('backend', { kernel: { ...kernel, ...parts } }))[0]!.verdict;
    };
    assert.deepEqual([row(true), row(false)], ['moot', 'fault']);
  });
});
