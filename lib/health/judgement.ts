/**
 * Whether one backend is up: what is believed of it, and how one more observation changes that belief.
 *
 * Two witnesses are heard. Checks ask the backend on purpose; traffic tells what clients' connections met.
 *
 *              failures of checks and traffic, `fall` in a row
 *        ┌────────────────────────────────────────────────────────┐
 *        │                                                        ▼
 *      ┌────┐                                                 ┌──────┐
 *  ───▶│ up │                                                 │ down │
 *      └────┘                                                 └──────┘
 *        ▲                                                        │
 *        └────────────────────────────────────────────────────────┘
 *          `rise` passed checks in a row — or, where there are no
 *          checks, a trial once the backend has been held for long enough
 *
 * - A backend starts up, unchecked: traffic need not wait. Its very first check then decides at once, either
 *   way, so that a dead one is known after a single answer and not after `fall` of them.
 * - A failure of traffic counts as much as a failed check. Traffic that passes clears what traffic failed, and
 *   that alone: a backend that accepts connections and answers 503 to its check still goes down. A passed
 *   check clears both, since it is the newer and the more thorough witness.
 * - Of a backend that is down traffic says nothing that counts: it is late news of connections begun before,
 *   or of clients sent there because nothing else is left.
 * - Without checks nothing would ever bring a backend back. It is held down for `holdMs`, then put up on trial
 *   (the half-open state of a circuit breaker): its next failure takes it down again at once, its next success
 *   restores the full count.
 *
 * Beliefs are values: an observation that changes nothing returns the very same one.
 */
import type { CheckTiming } from '../model/spec.ts';

/** What was seen of the backend; `hold-over` is the end of `holdMs`, for a backend without checks. */
export type Observation = 'check-passed' | 'check-failed' | 'traffic-passed' | 'traffic-failed' | 'hold-over';

/** What is believed of one backend. Counts are of consecutive observations since it last changed sides. */
export interface Health {
  readonly up: boolean;
  /** Whether any check has answered yet. */
  readonly checked: boolean;
  /** While down: passed checks on the way to `rise`. */
  readonly passedChecks: number;
  /** While up: failed checks, and traffic that failed since the last check that passed; together towards `fall`. */
  readonly failedChecks: number;
  readonly failedTraffic: number;
}

/** A backend before anything was seen of it: up, on trust. */
export const unchecked: Health = {
  up: true,
  checked: false,
  passedChecks: 0,
  failedChecks: 0,
  failedTraffic: 0,
};

const up: Health = { ...unchecked, checked: true };
const down: Health = { ...up, up: false };

/** The belief after one more observation. */
export function observe(health: Health, seen: Observation, { rise, fall }: CheckTiming): Health {
  switch (seen) {
    case 'check-passed': {
      if (health.up || !health.checked) return up;
      const passedChecks = health.passedChecks + 1;
      return passedChecks >= rise ? up : { ...down, passedChecks };
    }
    case 'check-failed':
      if (!health.up || !health.checked) return down;
      return downIfFallen({ ...health, failedChecks: health.failedChecks + 1 }, fall);
    case 'traffic-passed':
      return health.failedTraffic === 0 ? health : { ...health, failedTraffic: 0 };
    case 'traffic-failed':
      return health.up ? downIfFallen({ ...health, failedTraffic: health.failedTraffic + 1 }, fall) : health;
    case 'hold-over':
      return health.up ? health : { ...health, up: true, failedTraffic: fall - 1 };
  }
}

function downIfFallen(health: Health, fall: number): Health {
  if (health.failedChecks + health.failedTraffic < fall) return health;
  return { ...down, checked: health.checked };
}

/**
 * From the end of one check to the start of the next: short while the last answers contradict the belief and
 * have not yet overturned it, so that a doubt is settled quickly either way.
 */
export function checkAgainMs(health: Health, { intervalMs, fastIntervalMs }: CheckTiming): number {
  const inDoubt = health.passedChecks + health.failedChecks + health.failedTraffic > 0;
  return inDoubt ? fastIntervalMs : intervalMs;
}

/** How long a backend that no check could bring back stays down before it is tried again. */
export function holdMs({ intervalMs }: CheckTiming): number {
  return 10 * intervalMs;
}
