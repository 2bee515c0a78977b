/**
 * SipHash-2-4: a short-input hash under a 128-bit key, which nobody without the key can steer.
 * One instance hashes everything that must agree under one key; it allocates nothing per call, so the
 * result stays in the instance until the next call.
 *
 * JavaScript has no 64-bit integers that are fast: each of the four state words is a high and a low half.
 * The halves are signed 32-bit numbers while they are mixed and unsigned once they are read.
 *
 * Aumasson and Bernstein, "SipHash: a fast short-input PRF", INDOCRYPT 2012.
 */
export class SipHash {
  /** The low 32 bits of the last hash, 0–2³²−1. */
  lo = 0;
  /** The high 32 bits of the last hash, 0–2³²−1. */
  hi = 0;

  readonly #key0lo: number;
  readonly #key0hi: number;
  readonly #key1lo: number;
  readonly #key1hi: number;

  /** @param key 32 hexadecimal digits, the sixteen bytes of the key in order; a RangeError if they are not. */
  constructor(key: string) {
    if (!/^[0-9a-f]{32}$/i.test(key)) throw new RangeError('a SipHash key is 32 hexadecimal digits');
    const bytes = Uint8Array.from({ length: 16 }, (_, i) => Number.parseInt(key.slice(2 * i, 2 * i + 2), 16));
    this.#key0lo = read32(bytes, 0);
    this.#key0hi = read32(bytes, 4);
    this.#key1lo = read32(bytes, 8);
    this.#key1hi = read32(bytes, 12);
  }

  /** Hashes `length` bytes from `offset`, which must lie within `bytes`, into `lo` and `hi`. */
  hash(bytes: Uint8Array, offset: number, length: number): void {
    // "somepseudorandomlygeneratedbytes", §2.1.
    let v0h = this.#key0hi ^ 0x736f6d65;
    let v0l = this.#key0lo ^ 0x70736575;
    let v1h = this.#key1hi ^ 0x646f7261;
    let v1l = this.#key1lo ^ 0x6e646f6d;
    let v2h = this.#key0hi ^ 0x6c796765;
    let v2l = this.#key0lo ^ 0x6e657261;
    let v3h = this.#key1hi ^ 0x74656462;
    let v3l = this.#key1lo ^ 0x79746573;

    const wholeWords = length >>> 3;
    const tail = offset + 8 * wholeWords;
    const end = offset + length;

    // Whole words, then the word of the remaining bytes and the length, then the finalization (no word).
    for (let word = 0; word <= wholeWords + 1; word++) {
      let wordLo = 0;
      let wordHi = 0;
      let rounds = 2;
      if (word < wholeWords) {
        wordLo = read32(bytes, offset + 8 * word);
        wordHi = read32(bytes, offset + 8 * word + 4);
      } else if (word === wholeWords) {
        wordHi = length << 24;
        for (let at = tail; at < end; at++) {
          const shift = 8 * (at - tail);
          if (shift < 32) wordLo |= bytes[at]! << shift;
          else wordHi |= bytes[at]! << (shift - 32);
        }
      } else {
        v2l ^= 0xff;
        rounds = 4;
      }

      v3l ^= wordLo;
      v3h ^= wordHi;
      // SipRound (figure 2.1). A sum carries when its low half is below an addend.
      for (let round = 0; round < rounds; round++) {
        let half: number;

        v0l = (v0l + v1l) | 0;
        v0h = (v0h + v1h + (v0l >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
        half = ((v1h << 13) | (v1l >>> 19)) ^ v0h;
        v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
        v1h = half;
        half = v0h;
        v0h = v0l;
        v0l = half;

        v2l = (v2l + v3l) | 0;
        v2h = (v2h + v3h + (v2l >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
        half = ((v3h << 16) | (v3l >>> 16)) ^ v2h;
        v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
        v3h = half;

        v0l = (v0l + v3l) | 0;
        v0h = (v0h + v3h + (v0l >>> 0 < v3l >>> 0 ? 1 : 0)) | 0;
        half = ((v3h << 21) | (v3l >>> 11)) ^ v0h;
        v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
        v3h = half;

        v2l = (v2l + v1l) | 0;
        v2h = (v2h + v1h + (v2l >>> 0 < v1l >>> 0 ? 1 : 0)) | 0;
        half = ((v1h << 17) | (v1l >>> 15)) ^ v2h;
        v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
        v1h = half;
        half = v2h;
        v2h = v2l;
        v2l = half;
      }
      v0l ^= wordLo;
      v0h ^= wordHi;
    }

    this.lo = (v0l ^ v1l ^ v2l ^ v3l) >>> 0;
    this.hi = (v0h ^ v1h ^ v2h ^ v3h) >>> 0;
  }
}

/** Little-endian, signed. */
function read32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}
