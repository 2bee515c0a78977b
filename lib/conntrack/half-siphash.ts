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

/** Hashes five-tuples under one key. It keeps the state of the hash, so it belongs to one thread. */
export class TupleHash {
  readonly #low: number;
  readonly #high: number;
  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  constructor(key: HashKey) {
    this.#low = key.low | 0;
    this.#high = key.high | 0;
  }

  /**
   * Hashes the addresses at `source` and `destination` in `words`, with `ports` (any 32 bits that both ports, or
   * what stands for them, make up) and `protocol` (8 bits), to 32 bits, signed.
   */
  of(words: Int32Array, source: number, destination: number, ports: number, protocol: number): number {
    this.#v0 = this.#low;
    this.#v1 = this.#high;
    this.#v2 = 0x6c796765 ^ this.#low;
    this.#v3 = 0x74656462 ^ this.#high;
    let length: number;
    if (isMapped(words, source) && isMapped(words, destination)) {
      this.#absorb(words[source + 3]!);
      this.#absorb(words[destination + 3]!);
      length = 13;
    } else {
      for (let index = 0; index < 4; index++) this.#absorb(words[source + index]!);
      for (let index = 0; index < 4; index++) this.#absorb(words[destination + index]!);
      length = 37;
    }
    this.#absorb(ports);
    this.#absorb((length << 24) | protocol);
    this.#v2 ^= 0xff;
    this.#absorb(0);
    this.#absorb(0);
    this.#absorb(0);
    return this.#v1 ^ this.#v3;
  }

  /** One block and one round: HalfSipRound. Written out by calls, it stays in registers. */
  #absorb(block: number): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3 ^ block;
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
    this.#v0 = v0 ^ block;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}

function isMapped(words: Int32Array, at: number): boolean {
  return words[at + 2] === mappedWord && (words[at]! | words[at + 1]!) === 0;
}
