/**
 * Time that moves only when a test says so. Timers run inside `advance`, in the order they fall due and, at
 * the same moment, in the order they were set; each sees `nowMs()` equal to the moment it was due.
 */
import type { Clock, Timer } from '../../lib/model/clock.ts';

interface Waiting {
  readonly dueMs: number;
  readonly action: () => void;
}

export class ManualClock implements Clock {
  #nowMs: number;
  readonly #waiting = new Set<Waiting>();

  constructor(startMs = 0) {
    this.#nowMs = startMs;
  }

  /** Timers set and neither run nor cancelled: 0 where nothing was left behind. */
  get pendingTimers(): number {
    return this.#waiting.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, action: () => void): Timer {
    const waiting: Waiting = { dueMs: this.#nowMs + Math.max(0, delayMs), action };
    this.#waiting.add(waiting);
    return { cancel: () => void this.#waiting.delete(waiting) };
  }

  /** Moves on by `ms`, running what falls due on the way, also what those timers set themselves. */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (let next = this.#earliest(untilMs); next !== undefined; next = this.#earliest(untilMs)) {
      this.#waiting.delete(next);
      this.#nowMs = next.dueMs;
      next.action();
    }
    this.#nowMs = untilMs;
  }

  #earliest(untilMs: number): Waiting | undefined {
    let earliest: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (waiting.dueMs <= untilMs && (earliest === undefined || waiting.dueMs < earliest.dueMs)) {
        earliest = waiting;
      }
    }
    return earliest;
  }
}
