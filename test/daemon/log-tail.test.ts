import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LogTail } from '../../lib/daemon/log-tail.ts';
import { type Log, silentLog } from '../../lib/model/log.ts';

describe('the tail of a log', () => {
  it('keeps what is severe enough, with its time, and passes everything on', () => {
    const passed: string[] = [];
    const pass = (message: string) => void passed.push(message);
    const log: Log = { debug: pass, info: pass, warn: pass, error: pass };
    let wallMs = 1_000;
    const tail = new LogTail(log, 'info', () => wallMs++);
    tail.debug('detail');
    tail.info('backend is up', { backend: 'a' });
    tail.error('broken');
    assert.deepEqual(passed, ['detail', 'backend is up', 'broken']);
    assert.deepEqual(tail.after(0), [
      { sequence: 1, timeMs: 1_000, level: 'info', message: 'backend is up', fields: { backend: 'a' } },
      { sequence: 2, timeMs: 1_001, level: 'error', message: 'broken', fields: {} },
    ]);
    assert.deepEqual(
      tail.after(1).map(({ sequence }) => sequence),
      [2],
    );
    assert.deepEqual(tail.after(2), []);
  });

  it('keeps details where it is told to', () => {
    const tail = new LogTail(silentLog, 'debug', () => 0);
    tail.debug('detail');
    assert.equal(tail.after(0).length, 1);
  });

  it('forgets the oldest, so that it never takes more memory', () => {
    const tail = new LogTail(silentLog, 'info', () => 0);
    for (let entry = 1; entry <= 2_500; entry++) tail.warn(String(entry));
    const entries = tail.after(0);
    assert.equal(entries.length, 1_000);
    assert.deepEqual([entries[0]!.sequence, entries[0]!.message], [1_501, '1501']);
    assert.deepEqual([entries.at(-1)!.sequence, tail.after(2_499).length], [2_500, 1]);
  });
});
