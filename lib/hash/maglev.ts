/**
 * Maglev's lookup table: consistent hashing that is even to the slot and moves little when backends change
 * (Eisenbud et al., NSDI'16, §3.4). The table follows from the seed, the size and each backend's name and
 * weight alone: whoever has these builds the same one, in whatever order the backends come.
 *
 * Every backend prefers the slots in an order of its own, from two hashes of its name:
 *
 *     preference k of a backend = (offset + k · skip) mod size        size is prime, so all slots appear
 *
 *     permutations, size 7                      turn                     slot  0  1  2  3  4  5  6
 *                   k  0  1  2  3  4  5  6       1  a → 3                      ·  ·  ·  a  ·  ·  ·
 *     a (offset 3, skip 4)                       2  b → 0                      b  ·  ·  a  ·  ·  ·
 *                      3  0  4  1  5  2  6       3  c → 4, as 3 is taken       b  ·  ·  a  c  ·  ·
 *     b (offset 0, skip 2)                       4  a → 1, as 0, 4 are taken   b  a  ·  a  c  ·  ·
 *                      0  2  4  6  1  3  5       5  b → 2                      b  a  b  a  c  ·  ·
 *     c (offset 3, skip 1)                       6  c → 5                      b  a  b  a  c  c  ·
 *                      3  4  5  6  0  1  2       7  a → 6, as 5, 2 are taken   b  a  b  a  c  c  a
 *
 * Backends take turns in the order of their names' UTF-8 bytes, each turn the first preferred slot that is
 * still free, until the table is full.
 *
 * A weight is how often a turn comes. In each round every backend saves up its weight, and who has saved the
 * greatest weight spends it on a turn. All start with enough for a turn in the first round: a weight, however
 * small beside the others, has a slot as long as there are no more backends than slots.
 */
import type { SipHash } from './siphash.ts';

export const defaultTableSize = 65_537;

/** Up to here `slotOf` is exact and a table takes a fraction of a second to build. */
export const largestTableSize = 2 ** 20;

/** A slot that belongs to nobody; all are when no backend has a weight. */
export const noBackend = 0xffff;

export interface WeightedName {
  /** Unique among the backends of a table. */
  readonly name: string;
  /** A non-negative integer up to 65535; 0 takes no slots. */
  readonly weight: number;
}

/**
 * Builds the table of `size` slots (a prime up to 2²⁰, else a RangeError). Each slot holds the index *in
 * `backends` as given* of the backend that owns it, so the indices depend on the order given, and the names
 * they stand for do not. `hash` is keyed with the seed that all who must agree share. Up to 65535 backends.
 */
export function buildMaglev(
  backends: readonly WeightedName[],
  hash: SipHash,
  size: number = defaultTableSize,
): Uint16Array {
  if (!isPrime(size) || size > largestTableSize) {
    throw new RangeError(`a Maglev table has a prime number of slots up to ${largestTableSize}, not ${size}`);
  }
  if (backends.length > noBackend) throw new RangeError('a Maglev table holds up to 65535 backends');

  const table = new Uint16Array(size).fill(noBackend);
  const turns = backends
    .map(({ name, weight }, index) => ({ index, weight, bytes: utf8.encode(name) }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => compareBytes(a.bytes, b.bytes));
  const count = turns.length;
  if (count === 0) return table;

  const greatest = turns.reduce((most, { weight }) => Math.max(most, weight), 0);
  const owner = new Uint16Array(count);
  const preferred = new Int32Array(count);
  const skip = new Int32Array(count);
  const weights = new Int32Array(count);
  const saved = new Int32Array(count);
  turns.forEach(({ index, weight, bytes }, i) => {
    hash.hash(bytes, 0, bytes.length);
    owner[i] = index;
    preferred[i] = hash.lo % size;
    skip[i] = (hash.hi % (size - 1)) + 1;
    weights[i] = weight;
    saved[i] = greatest - weight;
  });

  for (let free = size; ; ) {
    for (let i = 0; i < count; i++) {
      const savings = saved[i]! + weights[i]!;
      if (savings < greatest) {
        saved[i] = savings;
        continue;
      }
      saved[i] = savings - greatest;

      const step = skip[i]!;
      let slot = preferred[i]!;
      while (table[slot] !== noBackend) {
        slot += step;
        if (slot >= size) slot -= size;
      }
      table[slot] = owner[i]!;
      preferred[i] = slot;
      if (--free === 0) return table;
    }
  }
}

/**
 * The slot of a 64-bit hash: ⌊hash · size / 2⁶⁴⌋, exact for sizes up to 2²⁰ (no intermediate reaches 2⁵³).
 * No slot is likelier than another by more than size / 2⁶⁴.
 */
export function slotOf(lo: number, hi: number, size: number): number {
  return Math.floor((hi * size + Math.floor((lo * size) / 2 ** 32)) / 2 ** 32);
}

const utf8 = new TextEncoder();

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let i = 0; i < common; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}

function isPrime(n: number): boolean {
  if (!Number.isInteger(n) || n < 2) return false;
  for (let divisor = 2; divisor * divisor <= n; divisor++) {
    if (n % divisor === 0) return false;
  }
  return true;
}
