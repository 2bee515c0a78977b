/**
 * Bounds on how often something may happen: `perSecond` times on average and `burst` times at once, for each of a
 * fixed number of buckets. A bucket is one number, the time at which it will be full again:
 *
 *   ──── now ────────────▶ full        tokens missing = (full − now) / interval, `burst` at most
 *
 * (The generic cell rate algorithm, ITU-T I.371 annex A, in its virtual scheduling form.)
 */
export class TokenBuckets {
  readonly #fullAtMs: Float64Array;
  readonly #intervalMs: number;
  readonly #burstMs: number;

  /** All buckets are full. */
  constructor(buckets: number, perSecond: number, burst: number) {
    this.#fullAtMs = new Float64Array(buckets).fill(Number.NEGATIVE_INFINITY);
    this.#intervalMs = 1_000 / perSecond;
    this.#burstMs = this.#intervalMs * burst;
  }

  /** Takes a token out of a bucket; false if there is none. */
  take(bucket: number, nowMs: number): boolean {
    const fullAtMs = Math.max(this.#fullAtMs[bucket]!, nowMs) + this.#intervalMs;
    // A thousandth of a token may be lost in rounding.
    if (fullAtMs - nowMs > this.#burstMs + this.#intervalMs / 1_000) return false;
    this.#fullAtMs[bucket] = fullAtMs;
    return true;
  }
}
