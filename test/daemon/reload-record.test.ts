import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ReloadRecord } from '../../lib/daemon/reload-record.ts';

describe('the record of reloads', () => {
  it('is empty at first', () => {
    assert.deepEqual(new ReloadRecord().view(5), { applied: 0, refused: 0, last: null });
  });

  it('counts them, and knows what became of the last', () => {
    const record = new ReloadRecord();
    record.note(true, 1_000);
    record.note(true, 2_000);
    record.note(false, 3_000);
    assert.deepEqual(record.view(3_500), { applied: 2, refused: 1, last: { ok: false, agoMs: 500 } });
  });
});
