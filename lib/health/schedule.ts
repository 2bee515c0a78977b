/**
 * When checks run: never in step. Many backends, and many balancers that look at the same backend, would
 * otherwise send all their checks in the same millisecond, again and again.
 */
import type { Random } from '../model/clock.ts';
import type { CheckSpec } from '../model/spec.ts';

const jitter = 0.1;

/** `delayMs`, lengthened or shortened by up to a tenth of it. */
export function jittered(delayMs: number, random: Random): number {
  return delayMs * (1 - jitter + 2 * jitter * random());
}

/**
 * When the first check of one of `backends` that start together runs: at once for a lone one, and spread
 * over a millisecond for each further one, though never over more than an interval.
 */
export function firstCheckMs(backends: number, intervalMs: number, random: Random): number {
  return random() * Math.min(backends - 1, intervalMs);
}

/** The longest time from the failure of a backend to the end of the check that takes it down; 0 without checks. */
export function noticeMs(check: CheckSpec): number {
  if (check.type === 'none') return 0;
  const { intervalMs, fastIntervalMs, timeoutMs, fall } = check;
  return (1 + jitter) * (intervalMs + (fall - 1) * fastIntervalMs) + fall * timeoutMs;
}
