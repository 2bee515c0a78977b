import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { familyOf, formatAddress, writeAddress } from '../../lib/packet/address.ts';

function roundTrip(text: string): string | undefined {
  const words = new Int32Array(6);
  return writeAddress(text, words, 1) ? formatAddress(words, 1) : undefined;
}

describe('an address', () => {
  it('keeps its text', () => {
    for (const text of [
      '0.0.0.0',
      '1.2.3.4',
      '255.255.255.255',
      '::',
      '::1',
      '2001:db8::7',
      'fe80::1:2:3:4',
    ]) {
      assert.equal(roundTrip(text), text);
    }
  });

  it('is written as RFC 5952 wants it', () => {
    assert.equal(roundTrip('2001:0DB8:0:0:1:0:0:1'), '2001:db8::1:0:0:1');
    assert.equal(roundTrip('1:0:0:2:0:0:0:3'), '1:0:0:2::3');
    assert.equal(roundTrip('1:2:3:0:5:6:7:8'), '1:2:3:0:5:6:7:8');
    assert.equal(roundTrip('64:ff9b::192.0.2.1'), '64:ff9b::c000:201');
  });

  it('of IPv4 is the mapped one of IPv6, and no other', () => {
    assert.equal(roundTrip('::ffff:1.2.3.4'), '1.2.3.4');
    const words = new Int32Array(4);
    writeAddress('1.2.3.4', words, 0);
    assert.deepEqual([...words], [0, 0, 0xffff, 0x01020304]);
    assert.equal(familyOf(words, 0), 4);
    writeAddress('::1.2.3.4', words, 0);
    assert.equal(familyOf(words, 0), 6);
  });

  it('is refused where it is none', () => {
    const wrong = ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', 'a.b.c.d', ':', ':::', '1::2::3', '1:2:3:4:5:6:7'];
    wrong.push(
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7::8:9',
      '12345::',
      'g::',
      '1.2.3.4::',
      '::1.2.3.4:5',
      '[::1]',
      '::1%lo',
    );
    for (const text of wrong) assert.equal(roundTrip(text), undefined, text);
  });

  it('is taken for one exactly when Node takes it for one', () => {
    const piece = fc.constantFrom('0', '1', 'ff', 'ffff', '1.2.3.4', '', ':', '::', '10', '256', '.');
    const joined = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(':'));
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), joined), (text) => {
        assert.equal(roundTrip(text) !== undefined, isIP(text) !== 0, text);
      }),
      { numRuns: 2000 },
    );
  });
});
