/** What the clients of the demonstration have seen: counts, and how long answers took, in bounded memory. */

/** Each bucket of the latency histogram is so much wider than the one before. */
const growth = 1.1;
const shortestMs = 0.01;
/** The last one begins at about 140 s. */
const bucketCount = 175;

export class Tally {
  requests = 0;
  errors = 0;
  /** Answers by backend. */
  readonly answers = new Map<string, number>();
  /** Answers that took between `shortestMs * growth ** index` and the next power. */
  readonly #latencies = new Uint32Array(bucketCount);

  answered(backend: string, latencyMs: number): void {
    this.requests++;
    this.answers.set(backend, (this.answers.get(backend) ?? 0) + 1);
    const index = Math.floor(Math.log(latencyMs / shortestMs) / Math.log(growth));
    const bucket = Math.min(bucketCount - 1, Math.max(0, index));
    this.#latencies[bucket] = this.#latencies[bucket]! + 1;
  }

  failed(): void {
    this.requests++;
    this.errors++;
  }

  /** The middle of the bucket that the median falls into; 0 before the first answer. */
  medianMs(): number {
    const half = (this.requests - this.errors) / 2;
    if (half === 0) return 0;
    let below = 0;
    const bucket = this.#latencies.findIndex((count) => {
      below += count;
      return below >= half;
    });
    return shortestMs * growth ** (bucket + 0.5);
  }
}
