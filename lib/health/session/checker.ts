/**
 * Watches one backend: runs its checks, hears what its traffic met, and says when the verdict changes.
 * At any moment there is one timer, for the next check, or one check under way, never both and never two.
 */
import type { Clock, Random, Timer } from '../../model/clock.ts';
import { type CheckSpec, type CheckTiming, defaultCheckTiming } from '../../model/spec.ts';
import type { HealthView } from '../../model/view.ts';
import { checkAgainMs, type Health, holdMs, type Observation, observe, unchecked } from '../judgement.ts';
import { firstCheckMs, jittered } from '../schedule.ts';
import { ask, type Probe, type ProbeFailure, type Target } from './probe.ts';

/** How many outcomes are remembered. */
const checksKept = 20;

export interface HealthCheckerOptions {
  readonly target: Target;
  readonly check: CheckSpec;
  /** As `probeFor(check)` gives it; undefined where traffic alone is to tell. */
  readonly probe: Probe | undefined;
  /** What is said of a failed check; its reason alone unless given. */
  readonly inWords?: (failure: ProbeFailure) => string;
  readonly clock: Clock;
  readonly random: Random;
  /** Called when the backend changes sides, and when `last` (see `HealthView`) does; never after `stop`. */
  readonly onVerdict: (up: boolean, last: string) => void;
  /** Called after each check; never after `stop`. */
  readonly onCheck: (passed: boolean) => void;
}

/**
 * The health of one backend. It is up until the first check says otherwise; `lib/health/judgement.ts` has the
 * rules. Without a check, the rise, fall and interval of `defaultCheckTiming` apply.
 */
export class HealthChecker {
  readonly #options: HealthCheckerOptions;
  readonly #timing: CheckTiming;
  #health: Health = unchecked;
  #last = 'unchecked';
  #turnedMs: number;
  #checks: readonly (number | null)[] = [];
  #next: { readonly dueMs: number; readonly timer: Timer } | undefined;
  #underWay: AbortController | undefined;
  #stopped = false;

  constructor(options: HealthCheckerOptions) {
    this.#options = options;
    this.#timing = options.check.type === 'none' ? defaultCheckTiming : options.check;
    this.#turnedMs = options.clock.nowMs();
  }

  get up(): boolean {
    return this.#health.up;
  }

  /** How long the last few checks took, oldest first; null where one failed. */
  get checks(): readonly (number | null)[] {
    return this.#checks;
  }

  view(): Pick<HealthView, 'last' | 'sinceMs'> {
    return { last: this.#last, sinceMs: this.#options.clock.nowMs() - this.#turnedMs };
  }

  /** Begins to check: at once, or spread a little where several `backends` start together. */
  start(backends = 1): void {
    if (this.#options.probe === undefined) return;
    this.#actWithin(firstCheckMs(backends, this.#timing.intervalMs, this.#options.random));
  }

  /** A client's connection to the backend failed, or was reset early. */
  observeFailure(reason: string): void {
    if (!this.#stopped && this.#health.up) this.#learn('traffic-failed', reason);
  }

  /** A client's connection to the backend was established. Costs nothing while all goes well. */
  observeSuccess(): void {
    if (this.#stopped || this.#health.failedTraffic === 0) return;
    this.#learn('traffic-passed', this.#options.probe === undefined ? 'ok' : this.#last);
  }

  /** Brings the next check forward to now. Does nothing without a check, or while one is under way. */
  checkNow(): void {
    if (this.#options.probe !== undefined && this.#underWay === undefined) this.#actWithin(0);
  }

  /** Ends it all: no check, no callback after this. */
  stop(): void {
    this.#stopped = true;
    this.#next?.timer.cancel();
    this.#underWay?.abort();
  }

  #learn(seen: Observation, last: string): void {
    const health = observe(this.#health, seen, this.#timing);
    const turned = health.up !== this.#health.up;
    const news = turned || last !== this.#last;
    if (turned) this.#turnedMs = this.#options.clock.nowMs();
    this.#health = health;
    this.#last = last;
    const waitMs = this.#waitMs();
    if (waitMs !== undefined) this.#actWithin(jittered(waitMs, this.#options.random));
    if (news) this.#options.onVerdict(health.up, last);
  }

  /** Until the next check or the end of a hold; undefined while there is neither to wait for. */
  #waitMs(): number | undefined {
    if (this.#underWay !== undefined) return undefined;
    if (this.#options.probe !== undefined) return checkAgainMs(this.#health, this.#timing);
    return this.#health.up ? undefined : holdMs(this.#timing);
  }

  /** Sets the timer, unless it is set to an earlier moment already. */
  #actWithin(delayMs: number): void {
    const dueMs = this.#options.clock.nowMs() + delayMs;
    if (this.#stopped || (this.#next !== undefined && this.#next.dueMs <= dueMs)) return;
    this.#next?.timer.cancel();
    this.#next = { dueMs, timer: this.#options.clock.after(delayMs, () => this.#act()) };
  }

  #act(): void {
    this.#next = undefined;
    const { probe } = this.#options;
    if (probe === undefined) this.#learn('hold-over', 'on trial');
    else void this.#check(probe);
  }

  async #check(probe: Probe): Promise<void> {
    const { target, clock } = this.#options;
    const underWay = new AbortController();
    this.#underWay = underWay;
    const startedMs = clock.nowMs();
    const timeout = clock.after(this.#timing.timeoutMs, () => underWay.abort());
    const result = await ask(probe, target, underWay.signal);
    timeout.cancel();
    this.#underWay = undefined;
    if (this.#stopped) return;
    const tookMs = result.ok ? clock.nowMs() - startedMs : null;
    this.#checks = [...this.#checks.slice(1 - checksKept), tookMs];
    this.#options.onCheck(result.ok);
    if (result.ok) this.#learn('check-passed', 'ok');
    else this.#learn('check-failed', this.#options.inWords?.(result) ?? result.reason);
  }
}
