import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addBytes,
  adjustChecksum,
  adjustPartialSum,
  checksumOf,
  deltaOf,
  deltaOfWords,
  fold,
  pseudoHeaderSum,
} from '../../lib/packet/checksum.ts';
import { internetChecksum } from './craft.ts';

function viewOf(bytes: ArrayLike<number>): DataView {
  return new DataView(Uint8Array.from(bytes).buffer);
}

const word = fc.integer({ min: 0, max: 0xffff });

describe('the Internet checksum', () => {
  it('is that of the example in RFC 1071 §3', () => {
    const view = viewOf([0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]);
    assert.equal(fold(addBytes(0, view, 0, 8)), 0xddf2);
    assert.equal(checksumOf(0, view, 0, 8), ~0xddf2 & 0xffff);
  });

  it('pads an odd last byte with zero', () => {
    assert.equal(checksumOf(0, viewOf([0x12, 0x34, 0x56]), 0, 3), ~(0x1234 + 0x5600) & 0xffff);
  });

  it('agrees with a slow twin over any bytes, from any offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(7), (bytes, skip) => {
        const padded = [...new Array<number>(skip).fill(0xff), ...bytes, 0xff, 0xff];
        assert.equal(checksumOf(0, viewOf(padded), skip, bytes.length), internetChecksum(bytes));
      }),
    );
  });

  it('holds for 64 KiB of 0xFF, where carries are most', () => {
    const bytes = new Uint8Array(65_535).fill(0xff);
    assert.equal(checksumOf(0xffff * 20, viewOf(bytes), 0, bytes.length), internetChecksum(bytes));
  });

  it('covers a pseudo-header of each family', () => {
    const v4 = Int32Array.of(0, 0, 0xffff, 0x01020304, 0, 0, 0xffff, 0x05060708);
    assert.equal(
      ~fold(pseudoHeaderSum(v4, 4, 17, 9)) & 0xffff,
      internetChecksum([1, 2, 3, 4, 5, 6, 7, 8, 0, 17, 0, 9]),
    );
    const v6 = Int32Array.from({ length: 8 }, (_, index) => 0x11111111 * index);
    const bytes = [...v6].flatMap((value) => [
      value >>> 24,
      (value >>> 16) & 255,
      (value >>> 8) & 255,
      value & 255,
    ]);
    assert.equal(
      ~fold(pseudoHeaderSum(v6, 6, 6, 0x12345)) & 0xffff,
      internetChecksum(bytes, [0, 1, 0x23, 0x45, 0, 0, 0, 6]),
    );
  });
});

describe('an incremental update', () => {
  it('is that of the example in RFC 1624 §4, where equation 2 goes wrong', () => {
    assert.equal(adjustChecksum(0xdd2f, deltaOf(0x5555, 0x3285)), 0x0000);
  });

  it('gives what a checksum from scratch gives, whichever words change', () => {
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 2, maxLength: 40 }),
        fc.infiniteStream(word),
        (words, stream) => {
          const bytes = (of: readonly number[]) => of.flatMap((value) => [value >> 8, value & 255]);
          const fresh = [...stream.take(words.length)];
          // A packet is never all zero, for which alone the two forms of zero can differ.
          words.push(0x4500);
          fresh.push(0x4500);
          const delta = words.reduce((sum, before, index) => sum + deltaOf(before, fresh[index]!), 0);
          const before = internetChecksum(bytes(words));
          assert.equal(adjustChecksum(before, delta), internetChecksum(bytes(fresh)));
        },
      ),
    );
  });

  it('taken back is the identity', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xfffe }), word, word, (checksum, before, after) => {
        const there = adjustChecksum(checksum, deltaOf(before, after));
        assert.equal(adjustChecksum(there, deltaOf(after, before)), checksum);
      }),
    );
  });

  it('over 32-bit words is the sum of their halves', () => {
    const before = Int32Array.of(0x12345678, -1, 0);
    const after = Int32Array.of(-2, 0x7fffffff, 0x00010000);
    const halves = [0x1234, 0x5678, 0xffff, 0xffff, 0, 0];
    const others = [0xffff, 0xfffe, 0x7fff, 0xffff, 1, 0];
    const expected = halves.reduce((sum, value, index) => sum + deltaOf(value, others[index]!), 0);
    assert.equal(deltaOfWords(before, 0, after, 0, 3), expected);
  });

  it('of a partial sum leaves it uncomplemented', () => {
    const before = fold(0x1234 + 0x5678);
    assert.equal(adjustPartialSum(before, deltaOf(0x5678, 0xabcd)), fold(0x1234 + 0xabcd));
  });
});
