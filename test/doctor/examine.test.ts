import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { examine, examineElsewhere } from '../../lib/doctor/examine.ts';
import { doctorModes } from '../../lib/doctor/modes.ts';
import { noSubject } from '../../lib/doctor/subject.ts';
import { caseOf, service, told, well } from './well.ts';

describe('an examination', () => {
  it('finds nothing in the way where nothing is', () => {
    for (const mode of doctorModes) {
      const { subject } = caseOf(
        mode,
        {},
        { services: [{ ...service, mode: mode === 'backend' ? 'nat' : mode }] },
      );
      const findings = examine(mode, well, subject);
      const isWell = mode === 'dsr' ? ['ok', 'warning', 'moot'] : ['ok'];
      assert.ok(findings.length > 5, mode);
      assert.deepEqual(
        findings.filter(({ verdict }) => !isWell.includes(verdict)),
        [],
        mode,
      );
    }
  });

  it('leaves the services of other modes to them', () => {
    const names = (mode: 'nat' | 'dsr') =>
      new Set(examine(mode, well, caseOf(mode).subject).map(({ check }) => check));
    assert.ok(names('nat').has('vip') && names('nat').has('path-mtu'));
    assert.ok(!names('dsr').has('vip') && !names('dsr').has('path-mtu'));
  });

  it('looks at the machine alone where nothing is to be served', () => {
    const checks = examine('nat', well, noSubject).map(({ check }) => check);
    assert.deepEqual(checks, [
      'capabilities',
      'packet-queue',
      'rule-tool',
      'ip-tool',
      'spreading',
      'ip-forward',
      'offloads',
      'conntrack',
      'leftovers',
    ]);
  });

  it('says that packets are rewritten by Linux alone', () => {
    assert.deepEqual(told(examineElsewhere('nat', 'darwin')), [
      'fault: packets are rewritten by Linux, and this is darwin',
    ]);
    assert.deepEqual(told(examineElsewhere('proxy', 'darwin')), ['ok: darwin']);
  });
});
