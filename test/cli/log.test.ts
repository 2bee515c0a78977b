import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, type LogFormat } from '../../lib/cli/log.ts';
import { ansiStyle, plainStyle, type Style } from '../../lib/cli/style.ts';
import type { Log, LogLevel } from '../../lib/model/log.ts';

const now = new Date(2024, 4, 6, 7, 8, 9);

/** What a log has written after `use`. */
function written(
  use: (log: Log) => void,
  { level = 'debug', format = 'text', style = plainStyle }: Partial<Options> = {},
): string[] {
  const lines: string[] = [];
  use(createLog({ level, format, style, now: () => now, write: (line) => lines.push(line) }));
  return lines;
}

interface Options {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly style: Style;
}

describe('the log', () => {
  it('is a line of time, level, message and fields', () => {
    const lines = written((log) =>
      log.warn('backend is down', { service: 'web', backend: '[::1]:80', reason: 'connection refused' }),
    );
    assert.deepEqual(lines, [
      '07:08:09 warn backend is down service=web backend=[::1]:80 reason="connection refused"',
    ]);
  });

  it('quotes a value that would not be clear, and keeps it on one line', () => {
    const fields = { empty: '', quoted: 'a"b', pair: 'a=b', lines: 'a\nb', escape: '\u001b[2J' };
    assert.deepEqual(
      written((log) => log.info('odd', fields)),
      ['07:08:09 info odd empty="" quoted="a\\"b" pair="a=b" lines="a\\nb" escape="\\u001b[2J"'],
    );
  });

  it('shows numbers, booleans and null as they are, and leaves out what is undefined', () => {
    assert.deepEqual(
      written((log) => log.debug('kinds', { afterMs: 1.5, ok: false, none: null, absent: undefined })),
      ['07:08:09 debug kinds afterMs=1.5 ok=false none=null'],
    );
  });

  it('leaves out what is less severe than its level', () => {
    const everything = (log: Log) => {
      log.debug('d');
      log.info('i');
      log.warn('w');
      log.error('e');
    };
    const count = (level: LogLevel) => written(everything, { level }).length;
    assert.deepEqual((['debug', 'info', 'warn', 'error', 'silent'] as const).map(count), [4, 3, 2, 1, 0]);
  });

  it('is a JSON object a line for machines', () => {
    const [line] = written((log) => log.error('it broke', { reason: 'a "b"', count: 2 }), { format: 'json' });
    assert.deepEqual(JSON.parse(line!), {
      time: now.toISOString(),
      level: 'error',
      message: 'it broke',
      reason: 'a "b"',
      count: 2,
    });
  });

  it('colours the level and never the values', () => {
    const [line] = written((log) => log.error('it broke', { reason: 'so' }), { style: ansiStyle });
    assert.ok(line!.includes(ansiStyle.red('error')));
    assert.ok(line!.endsWith('so'));
  });
});
