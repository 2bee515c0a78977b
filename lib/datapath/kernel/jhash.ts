/**
 * The hash by which Linux spreads packets: `jhash` of include/linux/jhash.h, which is lookup3 by Bob Jenkins (2006,
 * public domain). Words are read in the order of bytes of a little-endian machine, as the kernel reads its own.
 */

const initial = 0xdeadbeef;

/** Hashes bytes under a seed to 32 bits, unsigned. */
export function jhash(bytes: Uint8Array, seed: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let a = (initial + bytes.length + seed) | 0;
  let b = a;
  let c = a;
  let at = 0;
  for (; bytes.length - at > 12; at += 12) {
    a = (a + view.getInt32(at, true)) | 0;
    b = (b + view.getInt32(at + 4, true)) | 0;
    c = (c + view.getInt32(at + 8, true)) | 0;
    a = ((a - c) | 0) ^ rotate(c, 4);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 6);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 8);
    b = (b + a) | 0;
    a = ((a - c) | 0) ^ rotate(c, 16);
    c = (c + b) | 0;
    b = ((b - a) | 0) ^ rotate(a, 19);
    a = (a + c) | 0;
    c = ((c - b) | 0) ^ rotate(b, 4);
    b = (b + a) | 0;
  }
  if (at === bytes.length) return c >>> 0;
  const tail = new Uint8Array(12);
  tail.set(bytes.subarray(at));
  const last = new DataView(tail.buffer);
  return finish(
    (a + last.getInt32(0, true)) | 0,
    (b + last.getInt32(4, true)) | 0,
    (c + last.getInt32(8, true)) | 0,
  );
}

/** Hashes three words, as `jhash_3words` does. */
export function jhash3(one: number, two: number, three: number, seed: number): number {
  const start = (initial + 12 + seed) | 0;
  return finish((start + one) | 0, (start + two) | 0, (start + three) | 0);
}

/** ⌊hash · count / 2³²⌋: which of `count` a hash means (`reciprocal_scale`). */
export function scaleHash(hash: number, count: number): number {
  return Math.floor((hash * count) / 2 ** 32);
}

function finish(first: number, second: number, third: number): number {
  let [a, b, c] = [first, second, third];
  c = ((c ^ b) - rotate(b, 14)) | 0;
  a = ((a ^ c) - rotate(c, 11)) | 0;
  b = ((b ^ a) - rotate(a, 25)) | 0;
  c = ((c ^ b) - rotate(b, 16)) | 0;
  a = ((a ^ c) - rotate(c, 4)) | 0;
  b = ((b ^ a) - rotate(a, 14)) | 0;
  return ((c ^ b) - rotate(b, 24)) >>> 0;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
