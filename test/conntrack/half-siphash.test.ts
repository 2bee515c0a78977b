import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TupleHash } from '../../lib/conntrack/half-siphash.ts';

/** Key 00…07 and message 00 01 02 … as in the kernel's lib/test_siphash.c, words little-endian as it reads them. */
const kernelKey = { low: 0x03020100, high: 0x07060504 };
const count = (from: number): number => Math.imul(from, 0x01010101) + 0x03020100;

describe('the hash of a five-tuple', () => {
  it('is HalfSipHash-1-3 of 13 bytes for IPv4', () => {
    const words = Int32Array.of(0, 0, 0xffff, count(0), 0, 0, 0xffff, count(4));
    assert.equal(new TupleHash(kernelKey).of(words, 0, 4, count(8), 12) >>> 0, 0x66dd9cd6);
  });

  it('is HalfSipHash-1-3 of 37 bytes for IPv6', () => {
    const words = Int32Array.from({ length: 8 }, (_, index) => count(4 * index));
    assert.equal(new TupleHash(kernelKey).of(words, 0, 4, count(32), 36) >>> 0, 0x732ba8cb);
  });

  it('depends on the key, and on everything in the tuple', () => {
    const words = Int32Array.of(0, 0, 0xffff, 1, 0, 0, 0xffff, 2);
    const hash = new TupleHash({ low: 1, high: 2 });
    const seen = new Set([
      hash.of(words, 0, 4, 3, 6),
      hash.of(words, 4, 0, 3, 6),
      hash.of(words, 0, 4, 4, 6),
      hash.of(words, 0, 4, 3, 17),
      hash.of(Int32Array.of(0, 0, 0xfffe, 1, 0, 0, 0xffff, 2), 0, 4, 3, 6),
      hash.of(Int32Array.of(0, 1, 0xffff, 1, 0, 0, 0xffff, 2), 0, 4, 3, 6),
      new TupleHash({ low: 2, high: 2 }).of(words, 0, 4, 3, 6),
      new TupleHash({ low: 1, high: 3 }).of(words, 0, 4, 3, 6),
    ]);
    assert.equal(seen.size, 8);
  });

  it('leaves nothing of one tuple behind for the next', () => {
    const v6 = Int32Array.from({ length: 8 }, (_, index) => index + 1);
    const v4 = Int32Array.of(0, 0, 0xffff, 1, 0, 0, 0xffff, 2);
    const fresh = new TupleHash(kernelKey).of(v4, 0, 4, 5, 6);
    const used = new TupleHash(kernelKey);
    used.of(v6, 0, 4, 5, 6);
    assert.equal(used.of(v4, 0, 4, 5, 6), fresh);
  });
});
