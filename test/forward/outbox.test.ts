import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Outbox } from '../../lib/forward/outbox.ts';

function put(outbox: Outbox, text: string): boolean {
  const at = outbox.add(text.length);
  if (at >= 0) outbox.bytes.set(Buffer.from(text), at);
  return at >= 0;
}

function packets(outbox: Outbox): string[] {
  return Array.from({ length: outbox.count }, (_, index) => {
    const offset = outbox.offset[index]!;
    return Buffer.from(outbox.bytes.subarray(offset, offset + outbox.length[index]!)).toString();
  });
}

describe('an outbox', () => {
  it('keeps packets end to end until it is cleared', () => {
    const outbox = new Outbox(4, 16);
    for (const text of ['one', 'two', 'three']) assert.ok(put(outbox, text));
    assert.deepEqual(packets(outbox), ['one', 'two', 'three']);
    outbox.clear();
    assert.deepEqual(packets(outbox), []);
    assert.ok(put(outbox, 'x'.repeat(16)), 'all of its room is free again');
  });

  it('takes no more packets than it was made for, and no more bytes', () => {
    const outbox = new Outbox(2, 8);
    assert.deepEqual([put(outbox, '123456'), put(outbox, '789'), put(outbox, '78')], [true, false, true]);
    assert.equal(put(outbox, ''), false);
    assert.deepEqual(packets(outbox), ['123456', '78']);
  });

  it('takes back what was added last', () => {
    const outbox = new Outbox(4, 8);
    for (const text of ['ab', 'cd', 'ef']) put(outbox, text);
    outbox.rewind(1);
    put(outbox, 'gh');
    assert.deepEqual(packets(outbox), ['ab', 'gh']);
  });
});
