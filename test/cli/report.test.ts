import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { problemLines, report, wantsDebug } from '../../lib/cli/report.ts';
import { plainStyle } from '../../lib/cli/style.ts';
import { ExitCode, SluiceError, usageError } from '../../lib/model/errors.ts';

describe('an error', () => {
  it('is a line with its remedy, and a line with its place', () => {
    assert.deepEqual(
      problemLines({ message: 'it is wrong', remedy: 'mend it', place: 'edge.yaml:1:2' }, plainStyle),
      ['sluice: it is wrong — mend it', '  at edge.yaml:1:2'],
    );
    assert.deepEqual(problemLines({ message: 'it is wrong' }, plainStyle), ['sluice: it is wrong']);
  });

  it('decides how the process ends', () => {
    assert.equal(report(usageError('no'), plainStyle, false).exitCode, ExitCode.usage);
    const missing = new SluiceError('ERR_SLUICE_X', 'no', { exitCode: ExitCode.missing });
    assert.equal(report(missing, plainStyle, false).exitCode, ExitCode.missing);
  });

  it('that nobody foresaw is called internal, fails, and keeps its stack to itself', () => {
    assert.deepEqual(report(new TypeError('x is not\na function'), plainStyle, false), {
      lines: ['sluice: internal error: x is not — run it again with --log-level debug to see where'],
      exitCode: ExitCode.failed,
    });
    assert.equal(report('thrown text', plainStyle, true).lines[0], 'sluice: internal error: thrown text');
  });

  it('shows its stack, and that of its cause, to whoever debugs', () => {
    const error = new SluiceError('ERR_SLUICE_X', 'no', { cause: new Error('because') });
    const { lines } = report(error, plainStyle, true);
    assert.equal(lines[0], 'sluice: no');
    assert.ok(lines.some((line) => /^ +at .*report\.test/.test(line)));
    assert.ok(lines.includes('Error: because'));
  });
});

describe('the wish to debug', () => {
  it('is heard in both spellings, and not in other words', () => {
    assert.equal(wantsDebug(['up', '--log-level', 'debug']), true);
    assert.equal(wantsDebug(['up', '--log-level=debug']), true);
    assert.equal(wantsDebug(['up', '--log-level', 'info', 'debug']), false);
    assert.equal(wantsDebug([]), false);
  });
});
