/** The machine's own time. */
import type { Clock } from '../model/clock.ts';

/** Timers do not keep the process alive: what it serves does. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs).unref();
    return { cancel: () => clearTimeout(timer) };
  },
};
