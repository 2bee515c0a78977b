import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatBytes, formatCount, formatShare, plural } from '../../lib/model/units.ts';

describe('amounts for people', () => {
  it('shows bytes with two or three digits, in steps of 1024', () => {
    const rows = [
      [0, '0 B'],
      [999, '999 B'],
      [1_023, '1023 B'],
      [1_024, '1.0 KiB'],
      [1_536, '1.5 KiB'],
      [10 * 1_024 - 1, '10 KiB'],
      [1_024 ** 2 - 1, '1.0 MiB'],
      [123_456_789, '118 MiB'],
      [5 * 1_024 ** 4, '5.0 TiB'],
      [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
      [2_000 * 1_024 ** 5, '2000 PiB'],
    ] as const;
    for (const [bytes, text] of rows) assert.equal(formatBytes(bytes), text);
  });

  it('groups the digits of counts', () => {
    assert.deepEqual([0, 999, 1_000, 1_234_567, 12.6].map(formatCount), [
      '0',
      '999',
      '1,000',
      '1,234,567',
      '13',
    ]);
  });

  it('counts one of a thing as one', () => {
    assert.deepEqual(
      [0, 1, 2, 1_000].map((count) => plural(count, 'backend')),
      ['0 backends', '1 backend', '2 backends', '1,000 backends'],
    );
  });

  it('shows parts in whole percent, and nothing of nothing as nothing', () => {
    assert.equal(formatShare(1, 3), '33%');
    assert.equal(formatShare(3, 3), '100%');
    assert.equal(formatShare(0, 0), '0%');
  });
});
