import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TokenBuckets } from '../../lib/conntrack/token-buckets.ts';

function taken(buckets: TokenBuckets, times: number, nowMs: number, bucket = 0): number {
  return Array.from({ length: times }, () => buckets.take(bucket, nowMs)).filter((took) => took).length;
}

describe('a token bucket', () => {
  it('gives its burst at once and then nothing', () => {
    assert.equal(taken(new TokenBuckets(1, 10, 5), 8, 1_000), 5);
  });

  it('fills up again one by one, and no fuller than its burst', () => {
    const buckets = new TokenBuckets(1, 10, 5);
    taken(buckets, 5, 1_000);
    assert.equal(taken(buckets, 5, 1_099), 0);
    assert.equal(taken(buckets, 5, 1_100), 1);
    assert.equal(taken(buckets, 5, 1_300), 2);
    assert.equal(taken(buckets, 9, 60_000), 5);
  });

  it('is nobody else’s', () => {
    const buckets = new TokenBuckets(2, 10, 1);
    assert.deepEqual([taken(buckets, 2, 0, 0), taken(buckets, 2, 0, 1)], [1, 1]);
  });

  it('agrees with one that counts tokens', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1, 8, 125_000),
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.nat(400), { maxLength: 80 }),
        (perSecond, burst, waits) => {
          const buckets = new TokenBuckets(1, perSecond, burst);
          let nowMs = 5_000;
          let tokens = burst;
          for (const waitMs of waits) {
            nowMs += waitMs;
            tokens = Math.min(burst, tokens + (waitMs * perSecond) / 1_000);
            const took = buckets.take(0, nowMs);
            if (Math.abs(tokens - 1) > 0.01) assert.equal(took, tokens >= 1);
            if (took) tokens -= 1;
          }
        },
      ),
    );
  });
});
