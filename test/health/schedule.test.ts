import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { firstCheckMs, jittered, noticeMs } from '../../lib/health/schedule.ts';

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('a jittered delay', () => {
  it('is the delay itself in the middle of chance', () =>
    assert.equal(
      jittered(1000, () => 0.5),
      1000,
    ));

  it('is a tenth shorter or longer at its ends', () => {
    assert.equal(
      jittered(1000, () => 0),
      900,
    );
    assert.ok(Math.abs(jittered(1000, () => 0.999_999) - 1100) < 0.01);
  });

  it('never leaves that range, and grows with chance', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 86_400_000 }), chance, chance, (delayMs, a, b) => {
        const [low, high] = [
          jittered(delayMs, () => Math.min(a, b)),
          jittered(delayMs, () => Math.max(a, b)),
        ];
        assert.ok(low >= delayMs * 0.899_999 && high <= delayMs * 1.100_001 && low <= high);
      }),
    );
  });
});

describe('the first check', () => {
  it('of a lone backend is immediate, whatever chance says', () => {
    fc.assert(
      fc.property(chance, (at) =>
        assert.equal(
          firstCheckMs(1, 1000, () => at),
          0,
        ),
      ),
    );
  });

  it('of many backends is spread over a millisecond each', () => {
    assert.equal(
      firstCheckMs(101, 1000, () => 0),
      0,
    );
    assert.equal(
      firstCheckMs(101, 1000, () => 0.5),
      50,
    );
  });

  it('never waits longer than an interval', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), chance, (backends, at) => {
        const firstMs = firstCheckMs(backends, 1000, () => at);
        assert.ok(firstMs >= 0 && firstMs < 1000 + Number.EPSILON);
      }),
    );
  });
});

describe('the time in which checks notice that a backend has failed', () => {
  const timing = { intervalMs: 1_000, fastIntervalMs: 100, timeoutMs: 500, rise: 2, fall: 3 };

  it('is an interval, the quick looks after that, and all their timeouts, with jitter', () => {
    assert.equal(noticeMs({ type: 'tcp', ...timing }), 1.1 * (1_000 + 2 * 100) + 3 * 500);
    assert.equal(noticeMs({ type: 'tcp', ...timing, fall: 1 }), 1.1 * 1_000 + 500);
  });

  it('is nothing without checks', () => assert.equal(noticeMs({ type: 'none' }), 0));
});
