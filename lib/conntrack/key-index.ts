/**
 * Finds a flow by either of its five-tuples. Both live in one index, so one look tells whether a packet belongs to
 * a flow, and in which direction. Where answers are never seen, only what clients send has a key.
 *
 *   slot  │ tag: high bits of the hash │ direction │ row number │      0 = empty
 *   open addressing, linear probing: a key stands at home = hash mod slots or behind it, with no gap between
 *
 * At most half of the slots are taken. The tag spares the look at a row that is not meant, all but always.
 * Deleting moves later keys up instead of leaving marks, so the index never grows slower with age.
 * No two flows have a key in common: `add` refuses.
 */
import type { AddressBook } from './address-book.ts';
import { copyAddress, Direction, FlowKey, sameAddress } from './flow-key.ts';
import { type FlowRows, slotsPerFlow, wordShift } from './flow-rows.ts';
import type { TupleHash } from './half-siphash.ts';

/** Lookups that are prepared together at most; the rest find their own way. */
const prefetchable = 512;

export class KeyIndex {
  /** Where the rows' numbers lead; may be exchanged for one in which the numbers in use mean the same. */
  book: AddressBook;
  readonly #rows: FlowRows;
  readonly #slots: Int32Array;
  readonly #mask: number;
  readonly #hash: TupleHash;
  /** Bits of a row number; the direction stands above them, the tag above that. */
  readonly #rowBits: number;
  readonly #key = new FlowKey();
  readonly #withAnswers: boolean;
  /** The key of a row that is met on the way. */
  readonly #met = new FlowKey();
  readonly #prefetched = new Int32Array(prefetchable);

  /** The index that stands in the rows' memory, for whoever only reads; who is to write clears it first. */
  constructor(rows: FlowRows, hash: TupleHash, book: AddressBook, withAnswers: boolean) {
    this.book = book;
    this.#withAnswers = withAnswers;
    this.#rows = rows;
    this.#slots = rows.slots;
    this.#mask = rows.capacity * slotsPerFlow - 1;
    this.#hash = hash;
    this.#rowBits = 31 - Math.clz32(rows.capacity);
  }

  /** Forgets every key. */
  clear(): void {
    this.#slots.fill(0);
  }

  /** The hash of a five-tuple, with its addresses at `source` and `destination` in `words`. */
  hashOf(
    words: Int32Array,
    source: number,
    destination: number,
    sourcePort: number,
    destinationPort: number,
    protocol: number,
  ): number {
    return this.#hash.of(words, source, destination, (sourcePort << 16) | destinationPort, protocol);
  }

  /**
   * Brings the memory that looking up the first `count` hashes will need into the cache. One lookup waits for memory
   * twice, slot and then row; many that do not depend on each other wait together, which is worth 3× in a table
   * of a million flows. Answers with a number that means nothing, so that no compiler leaves the reading out.
   */
  prefetch(hashes: Int32Array, count: number): number {
    const slots = this.#slots;
    const words = this.#rows.words;
    const found = this.#prefetched;
    const mask = this.#mask;
    const rowMask = (1 << this.#rowBits) - 1;
    const tagShift = this.#rowBits + 1;
    const most = Math.min(count, found.length);
    let sum = 0;
    for (let index = 0; index < most; index++) {
      found[index] = slots[hashes[index]! & mask]!;
    }
    for (let index = 0; index < most; index++) {
      const hash = hashes[index]!;
      const first = found[index]!;
      const slot = first >>> tagShift === hash >>> tagShift ? first : slots[(hash + 1) & mask]!;
      // A row may lie across two lines of the cache.
      const row = (slot & rowMask) << wordShift;
      sum ^= words[row]! ^ words[row + 15]!;
    }
    return sum;
  }

  /** Looks a five-tuple up by its hash. Answers with row × 2 + direction, or 0 when no flow has this key. */
  find(
    hash: number,
    words: Int32Array,
    source: number,
    destination: number,
    sourcePort: number,
    destinationPort: number,
    protocol: number,
  ): number {
    const slots = this.#slots;
    const met = this.#met;
    const tagShift = this.#rowBits + 1;
    const tag = hash >>> tagShift;
    for (let at = hash & this.#mask; slots[at] !== 0; at = (at + 1) & this.#mask) {
      const slot = slots[at]!;
      if (slot >>> tagShift !== tag) continue;
      const row = slot & ((1 << this.#rowBits) - 1);
      const direction = (slot >>> this.#rowBits) & 1;
      met.read(this.#rows, this.book, row, direction);
      if (
        met.destinationPort === destinationPort &&
        met.sourcePort === sourcePort &&
        met.protocol === protocol &&
        sameAddress(met.words, 0, words, source) &&
        sameAddress(met.words, 4, words, destination)
      ) {
        return row * 2 + direction;
      }
    }
    return 0;
  }

  /** The flow whose answers come from `endpoint` to this SNAT address and port; 0 if there is none. */
  findAnswer(endpoint: number, snat: number, port: number, protocol: number): number {
    const { words } = this.#key;
    copyAddress(this.book.endpointWords, endpoint << 2, words, 0);
    copyAddress(this.book.snatWords, snat << 2, words, 4);
    const endpointPort = this.book.endpointPort[endpoint]!;
    const hash = this.hashOf(words, 0, 4, endpointPort, port, protocol);
    return this.find(hash, words, 0, 4, endpointPort, port, protocol) >> 1;
  }

  /** Enters the keys of a row. Enters none and answers false if another flow has one of them. */
  add(row: number): boolean {
    if (!this.#addKey(row, Direction.original)) return false;
    if (!this.#withAnswers || this.#addKey(row, Direction.answer)) return true;
    this.#removeKey(row, Direction.original);
    return false;
  }

  /** Takes the keys of a row out. The row must read as it did when they were entered. */
  remove(row: number): void {
    this.#removeKey(row, Direction.original);
    if (this.#withAnswers) this.#removeKey(row, Direction.answer);
  }

  #addKey(row: number, direction: number): boolean {
    const key = this.#key;
    key.read(this.#rows, this.book, row, direction);
    const hash = key.hash(this.#hash);
    if (this.find(hash, key.words, 0, 4, key.sourcePort, key.destinationPort, key.protocol) !== 0)
      return false;
    let at = hash & this.#mask;
    while (this.#slots[at] !== 0) at = (at + 1) & this.#mask;
    const tagShift = this.#rowBits + 1;
    this.#slots[at] = ((hash >>> tagShift) << tagShift) | (direction << this.#rowBits) | row;
    return true;
  }

  #removeKey(row: number, direction: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    const tagShift = this.#rowBits + 1;
    const wanted = (direction << this.#rowBits) | row;
    let hole = this.#homeOf(wanted);
    while ((slots[hole]! & ((1 << tagShift) - 1)) !== wanted) {
      if (slots[hole] === 0) return;
      hole = (hole + 1) & mask;
    }
    // Later keys of the same run move up, unless that would put them before their home.
    for (let at = (hole + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const slot = slots[at]!;
      if (((at - this.#homeOf(slot)) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slot;
      hole = at;
    }
    slots[hole] = 0;
  }

  /** Where the key that a slot stands for would like to be. */
  #homeOf(slot: number): number {
    const row = slot & ((1 << this.#rowBits) - 1);
    this.#key.read(this.#rows, this.book, row, (slot >>> this.#rowBits) & 1);
    return this.#key.hash(this.#hash) & this.#mask;
  }
}
