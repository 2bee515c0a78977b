/**
 * HalfSipHash-1-3 of a flow's five-tuple: the keyed hash of the flow and fragment tables.
 * It is SipHash with 32-bit words (Aumasson, Bernstein: "SipHash: a fast short-input PRF", appendix of the reference
 * code), in the variant that the Linux kernel uses for its hash tables. Whoever does not know the key cannot aim
 * packets at one slot; nothing beyond that is asked of it, and it never leaves the process.
 *
 * The message is source, destination, both ports and the protocol: 13 bytes when both addresses are IPv4, else 37.
 * The two lengths never meet, for the length is part of the last block.
 */
import { mappedWord } from '../packet/packet.ts';

/** A 64-bit secret of the process as two words. */
export interface HashKey {
  readonly low: number;
  readonly high: number;
}

/** The empty blocks that finish a message. */
const finalBlocks = 3;

/** Hashes five-tuples under one key. It keeps a scratch area, so it belongs to one thread. */
export class TupleHash {
  readonly #low: number;
  readonly #high: number;
  /** The blocks of the message, the final ones included. */
  readonly #blocks = new Int32Array(10 + finalBlocks);

  constructor(key: HashKey) {
    this.#low = key.low | 0;
    this.#high = key.high | 0;
  }

  /**
   * Hashes the addresses at `source` and `destination` in `words`, with `ports` (any 32 bits that both ports, or
   * what stands for them, make up) and `protocol` (8 bits), to 32 bits, signed.
   */
  of(words: Int32Array, source: number, destination: number, ports: number, protocol: number): number {
    const blocks = this.#blocks;
    let count: number;
    if (isMapped(words, source) && isMapped(words, destination)) {
      blocks[0] = words[source + 3]!;
      blocks[1] = words[destination + 3]!;
      blocks[2] = ports;
      blocks[3] = (13 << 24) | protocol;
      count = 4;
    } else {
      for (let index = 0; index < 4; index++) {
        blocks[index] = words[source + index]!;
        blocks[4 + index] = words[destination + index]!;
      }
      blocks[8] = ports;
      blocks[9] = (37 << 24) | protocol;
      count = 10;
    }
    blocks[count] = 0;
    blocks[count + 1] = 0;
    blocks[count + 2] = 0;
    return this.#absorb(count);
  }

  #absorb(count: number): number {
    const blocks = this.#blocks;
    let v0 = this.#low;
    let v1 = this.#high;
    let v2 = 0x6c796765 ^ v0;
    let v3 = 0x74656462 ^ v1;
    for (let index = 0; index < count + finalBlocks; index++) {
      const block = blocks[index]!;
      if (index === count) v2 ^= 0xff;
      v3 ^= block;
      v0 = (v0 + v1) | 0;
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
      v0 = (v0 + v3) | 0;
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
      v2 = (v2 + v1) | 0;
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= block;
    }
    return v1 ^ v3;
  }
}

function isMapped(words: Int32Array, at: number): boolean {
  return words[at + 2] === mappedWord && (words[at]! | words[at + 1]!) === 0;
}
