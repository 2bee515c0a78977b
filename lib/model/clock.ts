/**
 * Time and randomness as arguments. Everything below the process floor asks these instead of the machine,
 * so that a test can move through an hour in a millisecond and see the same run twice.
 */

/** A timer that was set and can be taken back. */
export interface Timer {
  cancel(): void;
}

/** Monotonic milliseconds and timers on the same scale. `after` never keeps the process alive by itself. */
export interface Clock {
  nowMs(): number;
  after(delayMs: number, action: () => void): Timer;
}

/** Uniform in [0, 1), like `Math.random`. */
export type Random = () => number;
