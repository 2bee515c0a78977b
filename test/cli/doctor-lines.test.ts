import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { doctorLines } from '../../lib/cli/doctor-lines.ts';
import { ansiStyle, plainStyle } from '../../lib/cli/style.ts';
import type { Finding } from '../../lib/doctor/finding.ts';

const findings: readonly Finding[] = [
  { check: 'rule-tool', verdict: 'ok', detail: 'nft' },
  { check: 'vip', verdict: 'fault', detail: 'another has it', fix: 'sysctl -w a=1', on: '10.2.0.2' },
  { check: 'descriptors', verdict: 'warning', detail: 'few', fix: 'prlimit', advice: 'as root' },
  { check: 'conntrack', verdict: 'moot', detail: 'none' },
];

describe('what the doctor says', () => {
  it('has a line for each finding, and the way out below', () => {
    assert.deepEqual(doctorLines('nat', findings, plainStyle), [
      'nat: 1 fault, 1 warning',
      '  ✓ rule-tool    nft',
      '  ✗ vip          another has it',
      '                 → on 10.2.0.2: sysctl -w a=1',
      '  ! descriptors  few',
      '                 → prlimit',
      '                 → as root',
      '  – conntrack    none',
    ]);
  });

  it('begins with how it stands', () => {
    const title = (verdicts: readonly Finding['verdict'][]) =>
      doctorLines(
        'nat',
        verdicts.map((verdict) => ({ check: 'a', verdict, detail: '' })),
        plainStyle,
      )[0];
    assert.equal(title(['ok', 'moot']), 'nat: ready');
    assert.equal(title(['ok', 'warning', 'warning']), 'nat: ready, 2 warnings');
    assert.equal(title(['fault', 'fault']), 'nat: 2 faults');
  });

  it('is coloured by its gravity', () => {
    const [, ok, fault] = doctorLines('nat', findings, ansiStyle);
    assert.ok(ok!.includes(ansiStyle.green('✓')) && fault!.includes(ansiStyle.red('✗')));
  });
});
