import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canonicalIp } from '../../lib/model/ip.ts';
import { familyOf, formatAddress, writeAddress } from '../../lib/packet/address.ts';

describe('an address in words', () => {
  it('has the bytes of its text in order, IPv4 mapped', () => {
    const words = new Int32Array(6).fill(7);
    assert.ok(writeAddress('1.2.3.4', words, 1));
    assert.deepEqual([...words], [7, 0, 0, 0xffff, 0x01020304, 7]);
    assert.ok(writeAddress('2001:db8::ffff:fffe', words, 1));
    assert.deepEqual([...words], [7, 0x20010db8, 0, 0, -2, 7]);
  });

  it('has a family', () => {
    const words = new Int32Array(4);
    for (const [text, family] of [
      ['1.2.3.4', 4],
      ['::ffff:1.2.3.4', 4],
      ['::1.2.3.4', 6],
      ['::1', 6],
    ] as const) {
      writeAddress(text, words, 0);
      assert.equal(familyOf(words, 0), family);
    }
  });

  it('keeps its text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const words = new Int32Array(4);
        assert.ok(writeAddress(text, words, 0));
        assert.equal(
          formatAddress(words, 0).replace('::ffff:', ''),
          canonicalIp(text)!.replace('::ffff:', ''),
        );
      }),
    );
  });

  it('is not written where there is none', () => {
    const words = Int32Array.of(1, 2, 3, 4);
    assert.equal(writeAddress('localhost', words, 0), false);
    assert.deepEqual([...words], [1, 2, 3, 4]);
  });
});
