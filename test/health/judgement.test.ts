import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  checkAgainMs,
  type Health,
  holdMs,
  type Observation,
  observe,
  unchecked,
} from '../../lib/health/judgement.ts';
import { type CheckTiming, defaultCheckTiming } from '../../lib/model/spec.ts';

const timing: CheckTiming = {
  ...defaultCheckTiming,
  rise: 2,
  fall: 3,
  intervalMs: 1000,
  fastIntervalMs: 200,
};

/** Checks in capitals, traffic in small letters: P passed, F failed; h is the end of a hold. */
const letters: Readonly<Record<string, Observation>> = {
  P: 'check-passed',
  F: 'check-failed',
  p: 'traffic-passed',
  f: 'traffic-failed',
  h: 'hold-over',
};

const after = (seen: string, from: Health = unchecked): Health =>
  [...seen].reduce((health, letter) => observe(health, letters[letter]!, timing), from);

describe('the judgement of a backend', () => {
  const rows: readonly (readonly [what: string, seen: string, up: boolean])[] = [
    ['is up before anything was seen of it', '', true],
    ['is up when its first check passes', 'P', true],
    ['is down when its first check fails', 'F', false],
    ['is down when its first check fails, whatever traffic passed before', 'pppF', false],
    ['stays up while fewer checks fail than fall', 'PFF', true],
    ['is down after fall failed checks', 'PFFF', false],
    ['counts failed checks anew after one that passed', 'PFFPFF', true],
    ['stays down while fewer checks pass than rise', 'FP', false],
    ['is up after rise passed checks', 'FPP', true],
    ['counts passed checks anew after one that failed', 'FPFP', false],
    ['is down after fall failures of traffic', 'Pfff', false],
    ['is down after fall failures of traffic before any check', 'fff', false],
    ['comes up with a first check that passes after traffic took it down', 'fffP', true],
    ['needs rise passed checks after traffic took it down', 'PfffP', false],
    ['comes up after rise passed checks though traffic took it down', 'PfffPP', true],
    ['adds failures of traffic to failed checks', 'PFff', false],
    ['adds them in any order', 'PfFf', false],
    ['forgives failed traffic when traffic passes', 'Pffpff', true],
    ['does not forgive failed checks when traffic passes', 'PFpFpF', false],
    ['forgives failed traffic when a check passes', 'PffPff', true],
    ['is not brought up by traffic that passes', 'PFFFpppp', false],
    ['is not kept down by traffic that fails', 'PFFFPfP', true],
    ['does not remember what traffic failed while it was down', 'PFFFffffPPff', true],
    ['is up again, on trial, after its hold', 'fffh', true],
    ['is down at the first failure of a trial', 'fffhf', false],
    ['has the full count again once its trial passed', 'fffhpff', true],
    ['is taken down by fall failures after its trial passed', 'fffhpfff', false],
  ];
  for (const [what, seen, up] of rows) {
    it(what, () => assert.equal(after(seen).up, up, `after "${seen}"`));
  }

  it('is the very same value when an observation changes nothing', () => {
    for (const seen of ['', 'P', 'PF', 'F']) {
      const health = after(seen);
      assert.equal(observe(health, 'traffic-passed', timing), health);
    }
    const down = after('F');
    assert.equal(observe(down, 'traffic-failed', timing), down);
  });

  it('changes sides at every answer where rise and fall are 1', () => {
    const once = { ...timing, rise: 1, fall: 1 };
    let health = unchecked;
    for (const [seen, up] of [
      ['check-passed', true],
      ['check-failed', false],
      ['check-passed', true],
      ['traffic-failed', false],
      ['hold-over', true],
      ['traffic-failed', false],
    ] as const) {
      health = observe(health, seen, once);
      assert.equal(health.up, up, seen);
    }
  });
});

describe('the wait for the next check', () => {
  const rows: readonly (readonly [what: string, seen: string, waitMs: number])[] = [
    ['is an interval while all is well', 'PPP', 1000],
    ['is short after a failure that did not tip the belief', 'PF', 200],
    ['is short after a failure of traffic', 'Pf', 200],
    ['is short after a failure of traffic before the first check', 'f', 200],
    ['is an interval once the doubt was settled for good', 'PFP', 1000],
    ['is an interval once traffic passes again', 'Pfp', 1000],
    ['is an interval once the backend is down', 'PFFF', 1000],
    ['is an interval after a first check that failed', 'F', 1000],
    ['is short after a success that did not tip the belief', 'FP', 200],
    ['is an interval once the backend is up', 'FPP', 1000],
    ['is an interval after traffic failed on a backend that is down', 'Ff', 1000],
  ];
  for (const [what, seen, waitMs] of rows) {
    it(what, () => assert.equal(checkAgainMs(after(seen), timing), waitMs, `after "${seen}"`));
  }
});

describe('the hold of a backend without checks', () => {
  it('is ten intervals', () => assert.equal(holdMs(timing), 10_000));
});

/**
 * The rules said another way: nothing is counted on the way, everything seen since the backend last changed
 * sides is kept and looked through again at each question.
 */
class NaiveHealth {
  up = true;
  #seen: Observation[] = [];
  #everChecked = false;
  #onTrial = false;

  observe(seen: Observation, { rise, fall }: CheckTiming): void {
    const firstCheck = !this.#everChecked && seen.startsWith('check');
    if (firstCheck) this.#everChecked = true;
    if (seen === 'check-passed' || seen === 'traffic-passed') this.#onTrial = false;
    this.#seen.push(seen);
    if (firstCheck) this.#turn(seen === 'check-passed');
    else if (seen === 'hold-over') {
      if (!this.up) {
        this.#turn(true);
        this.#onTrial = true;
      }
    } else if (this.up ? this.#failures() >= fall || this.#trialFailed() : this.#passes() >= rise) {
      this.#turn(!this.up);
    }
  }

  inDoubt(): boolean {
    return this.up ? this.#onTrial || this.#failures() > 0 : this.#passes() > 0;
  }

  #turn(up: boolean): void {
    this.up = up;
    this.#onTrial = false;
    this.#seen = [];
  }

  #trialFailed(): boolean {
    return this.#onTrial && this.#seen.some((seen) => seen.endsWith('failed'));
  }

  #failures(): number {
    const sinceCheckPassed = this.#since('check-passed', this.#seen);
    const failedChecks = sinceCheckPassed.filter((seen) => seen === 'check-failed');
    const failedTraffic = this.#since('traffic-passed', sinceCheckPassed).filter(
      (seen) => seen === 'traffic-failed',
    );
    return failedChecks.length + failedTraffic.length;
  }

  #passes(): number {
    return this.#since('check-failed', this.#seen).filter((seen) => seen === 'check-passed').length;
  }

  #since(seen: Observation, list: readonly Observation[]): readonly Observation[] {
    return list.slice(list.lastIndexOf(seen) + 1);
  }
}

describe('the judgement and its naive twin', () => {
  const counts = fc.record({ rise: fc.integer({ min: 1, max: 5 }), fall: fc.integer({ min: 1, max: 5 }) });

  const agree = (observations: readonly Observation[]): void =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...observations), { maxLength: 60 }),
        counts,
        (all, { rise, fall }) => {
          const rules = { ...timing, rise, fall };
          const naive = new NaiveHealth();
          let health = unchecked;
          for (const seen of all) {
            health = observe(health, seen, rules);
            naive.observe(seen, rules);
            assert.equal(health.up, naive.up);
            if (observations.includes('hold-over')) continue;
            const waitMs = naive.inDoubt() ? rules.fastIntervalMs : rules.intervalMs;
            assert.equal(checkAgainMs(health, rules), waitMs);
          }
        },
      ),
      { numRuns: 1_000 },
    );

  it('agree about every run of checks and traffic', () =>
    agree(['check-passed', 'check-failed', 'traffic-passed', 'traffic-failed']));

  it('agree about every run of traffic and holds', () =>
    agree(['traffic-passed', 'traffic-failed', 'hold-over']));
});
