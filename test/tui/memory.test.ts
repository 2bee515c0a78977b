import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

Object.assign(process.env, { NODE_ENV: 'production' });
const { beginHour } = await import('./an-hour.tsx');

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const warmMinutes = 10;
const minutes = 60;
/** What the other fifty minutes may leave behind: much less than the text of their pictures. */
const mostBytes = 1_000_000;

function heapBytes(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

describe('an hour of the dashboard', () => {
  it('takes no more memory than its first ten minutes', { timeout: 280_000 }, async () => {
    const hour = beginHour();
    await hour.live(warmMinutes);
    const before = heapBytes();
    const pictures = await hour.live(minutes - warmMinutes);
    const grown = heapBytes() - before;
    await hour.end();
    assert.ok(pictures >= 2 * 60 * minutes, `${pictures} pictures`);
    assert.ok(grown < mostBytes, `${grown} bytes more after ${pictures} pictures`);
  });
});
