/**
 * From (address, port, protocol) to a small number, for the few that the configuration names. Open addressing, a
 * quarter full at most; filled once, then only read.
 *
 * Its hash has no key: what stands in it is configured, and a packet that is looked up in vain costs one short probe.
 */
import { sameAddress } from '../conntrack/flow-key.ts';

export class AddressIndex {
  readonly #mask: number;
  /** Position of the entry + 1; 0 is empty. */
  readonly #slots: Uint16Array;
  readonly #words: Int32Array;
  readonly #ports: Uint16Array;
  readonly #protocols: Uint8Array;
  readonly #values: Uint16Array;
  #count = 0;

  /** An index with room for `entries`. */
  constructor(entries: number) {
    const slots = 4 << (32 - Math.clz32(entries));
    this.#mask = slots - 1;
    this.#slots = new Uint16Array(slots);
    this.#words = new Int32Array(entries * 4);
    this.#ports = new Uint16Array(entries);
    this.#protocols = new Uint8Array(entries);
    this.#values = new Uint16Array(entries);
  }

  /** Enters `value` (1–65535) under the address at `at` in `words`. What is there already is replaced. */
  set(words: Int32Array, at: number, port: number, protocol: number, value: number): void {
    const slot = this.#slotOf(words, at, port, protocol);
    let entry = this.#slots[slot]! - 1;
    if (entry < 0) {
      entry = this.#count;
      this.#count++;
      this.#slots[slot] = entry + 1;
      this.#words.set(words.subarray(at, at + 4), entry * 4);
      this.#ports[entry] = port;
      this.#protocols[entry] = protocol;
    }
    this.#values[entry] = value;
  }

  /** What was entered, or 0. */
  get(words: Int32Array, at: number, port: number, protocol: number): number {
    const entry = this.#slots[this.#slotOf(words, at, port, protocol)]!;
    return entry === 0 ? 0 : this.#values[entry - 1]!;
  }

  /** The slot that holds this key, or the empty one where it would stand. */
  #slotOf(words: Int32Array, at: number, port: number, protocol: number): number {
    let hash = words[at]! ^ Math.imul(words[at + 1]!, 0x9e3779b1) ^ words[at + 2]!;
    hash = Math.imul(hash ^ words[at + 3]!, 0x85ebca6b) ^ Math.imul((port << 8) | protocol, 0xc2b2ae35);
    for (let slot = (hash ^ (hash >>> 15)) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const entry = this.#slots[slot]!;
      if (entry === 0) return slot;
      const found = entry - 1;
      if (
        this.#ports[found] === port &&
        this.#protocols[found] === protocol &&
        sameAddress(this.#words, found * 4, words, at)
      ) {
        return slot;
      }
    }
  }
}
