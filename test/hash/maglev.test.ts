import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  buildMaglev,
  largestTableSize,
  noBackend,
  slotOf,
  type WeightedName,
} from '../../lib/hash/maglev.ts';
import { SipHash } from '../../lib/hash/siphash.ts';

const hash = new SipHash('000102030405060708090a0b0c0d0e0f');

function equalBackends(count: number): WeightedName[] {
  return Array.from({ length: count }, (_, i) => ({ name: `10.0.${i >> 8}.${i & 255}:80`, weight: 1 }));
}

/** Slots by the names that own them. */
function namesOf(table: Uint16Array, backends: readonly WeightedName[]): (string | undefined)[] {
  return Array.from(table, (index) => backends[index]?.name);
}

function slotCounts(table: Uint16Array, backends: readonly WeightedName[]): number[] {
  const counts = new Array<number>(backends.length).fill(0);
  for (const index of table) counts[index]!++;
  return counts;
}

const anyBackends = (weight: fc.Arbitrary<number>, maxLength = 40): fc.Arbitrary<WeightedName[]> =>
  fc.uniqueArray(fc.record({ name: fc.string({ unit: 'binary', maxLength: 12 }), weight }), {
    selector: ({ name }) => Buffer.from(name).toString('hex'),
    minLength: 1,
    maxLength,
  });

describe('a Maglev table', () => {
  it('is the same for the same backends in any order', () => {
    const shuffled = anyBackends(fc.nat(10)).chain((backends) =>
      fc.tuple(
        fc.constant(backends),
        fc.shuffledSubarray(backends, { minLength: backends.length, maxLength: backends.length }),
      ),
    );
    fc.assert(
      fc.property(shuffled, ([backends, others]) => {
        assert.deepEqual(
          namesOf(buildMaglev(others, hash, 251), others),
          namesOf(buildMaglev(backends, hash, 251), backends),
        );
      }),
    );
  });

  it('is full, and each backend with a weight has slots, and none without', () => {
    fc.assert(
      fc.property(anyBackends(fc.oneof(fc.nat(3), fc.nat(65_535))), (backends) => {
        const table = buildMaglev(backends, hash, 251);
        const counts = slotCounts(table, backends);
        const weighted = backends.filter(({ weight }) => weight > 0).length;
        assert.equal(table.filter((index) => index === noBackend).length, weighted === 0 ? table.length : 0);
        backends.forEach(({ weight }, i) => {
          assert.equal(counts[i]! > 0, weight > 0);
        });
      }),
    );
  });

  it('gives slots in proportion to the weights', () => {
    fc.assert(
      fc.property(anyBackends(fc.integer({ min: 1, max: 100 }), 20), (backends) => {
        const sum = backends.reduce((total, { weight }) => total + weight, 0);
        const counts = slotCounts(buildMaglev(backends, hash, 997), backends);
        backends.forEach(({ weight }, i) => {
          // One turn more or less than its due, and its share of the turns that others are ahead or behind.
          const tolerance = 2 + (weight * backends.length) / sum;
          assert.ok(
            Math.abs(counts[i]! - (997 * weight) / sum) <= tolerance,
            `weight ${weight}: ${counts[i]}`,
          );
        });
      }),
    );
  });

  it('gives equal weights the same number of slots, but for one', () => {
    for (const [count, size] of [
      [3, 997],
      [10, 65_537],
      [100, 65_537],
      [1000, 65_537],
    ] as const) {
      const backends = equalBackends(count);
      const counts = slotCounts(buildMaglev(backends, hash, size), backends);
      assert.equal(Math.min(...counts), Math.floor(size / count));
      assert.equal(Math.max(...counts), Math.ceil(size / count));
    }
  });

  it('does not change when all weights are multiplied', () => {
    const backends = equalBackends(10).map(({ name }, i) => ({ name, weight: 1 + (i % 4) }));
    const heavier = backends.map(({ name, weight }) => ({ name, weight: weight * 1000 }));
    assert.deepEqual(buildMaglev(heavier, hash, 997), buildMaglev(backends, hash, 997));
  });

  it('moves little more than the slots of a backend that is removed', () => {
    // Of all slots, those that move though their backend stays: 2.5, 0.24, 0.55 and 0.57 % on average.
    for (const [count, size, bound] of [
      [10, 997, 0.04],
      [10, 65_537, 0.004],
      [100, 65_537, 0.008],
      [1000, 65_537, 0.008],
    ] as const) {
      const backends = equalBackends(count);
      const before = namesOf(buildMaglev(backends, hash, size), backends);
      for (let gone = 0; gone < count; gone += count / 5) {
        const rest = backends.filter((_, i) => i !== gone);
        const after = namesOf(buildMaglev(rest, hash, size), rest);
        const moved = before.filter(
          (name, slot) => name !== backends[gone]!.name && name !== after[slot],
        ).length;
        assert.ok(moved / size < bound, `${count} backends, ${size} slots: ${moved} moved`);
      }
    }
  });

  it('is the same whether a backend is away or has weight 0', () => {
    const backends = equalBackends(10);
    const drained = backends.map((backend, i) => (i === 3 ? { ...backend, weight: 0 } : backend));
    const without = backends.filter((_, i) => i !== 3);
    assert.deepEqual(
      namesOf(buildMaglev(drained, hash, 997), drained),
      namesOf(buildMaglev(without, hash, 997), without),
    );
  });

  it('depends on the seed', () => {
    const backends = equalBackends(10);
    const other = new SipHash('000102030405060708090a0b0c0d0e00');
    assert.notDeepEqual(buildMaglev(backends, other, 997), buildMaglev(backends, hash, 997));
  });

  it('has a prime number of slots', () => {
    for (const size of [0, 1, -7, 4, 2.5, Number.NaN, 65_536, 997 * 997, 2_147_483_647]) {
      assert.throws(() => buildMaglev(equalBackends(2), hash, size), RangeError);
    }
    for (const size of [2, 3, 251, 997, 655_373]) {
      assert.equal(buildMaglev(equalBackends(2), hash, size).length, size);
    }
  });
});

describe('the slot of a hash', () => {
  it('is ⌊hash · size / 2⁶⁴⌋ to the last bit', () => {
    const sizeAndSlot = fc
      .integer({ min: 2, max: largestTableSize })
      .chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 1, max: size - 1 })));
    const slotOfHash = (hash: bigint, size: number): number =>
      slotOf(Number(hash & 0xffffffffn), Number(hash >> 32n), size);
    fc.assert(
      fc.property(sizeAndSlot, ([size, slot]) => {
        const first = ((BigInt(slot) << 64n) + BigInt(size) - 1n) / BigInt(size);
        assert.equal(slotOfHash(first, size), slot);
        assert.equal(slotOfHash(first - 1n, size), slot - 1);
        assert.equal(slotOfHash(0n, size), 0);
        assert.equal(slotOfHash(2n ** 64n - 1n, size), size - 1);
      }),
    );
  });
});
