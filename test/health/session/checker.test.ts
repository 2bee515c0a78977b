import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as everythingSettled } from 'node:timers/promises';
import fc from 'fast-check';
import { UnwellError } from '../../../lib/health/reason.ts';
import { HealthChecker } from '../../../lib/health/session/checker.ts';
import type { Probe } from '../../../lib/health/session/probe.ts';
import type { Random } from '../../../lib/model/clock.ts';
import type { CheckSpec } from '../../../lib/model/spec.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const check: CheckSpec = {
  type: 'tcp',
  intervalMs: 1000,
  fastIntervalMs: 200,
  timeoutMs: 500,
  rise: 2,
  fall: 3,
};

/** A checker whose probe answers when the test says so. */
class Bench {
  readonly clock = new ManualClock();
  readonly verdicts: string[] = [];
  /** Whether each check has passed. */
  readonly results: boolean[] = [];
  readonly checker: HealthChecker;
  /** Probes ever begun, and those that have not ended. */
  begun = 0;
  underWay = 0;
  aborted = false;
  onVerdict = (): void => undefined;
  #end: (reason: string | undefined) => void = () => undefined;

  constructor(spec: CheckSpec = check, random: Random = () => 0.5) {
    const probe: Probe = async (_target, signal) => {
      this.begun += 1;
      this.underWay += 1;
      signal.addEventListener('abort', () => {
        this.aborted = true;
        this.#end('aborted');
      });
      try {
        await new Promise<void>((resolve, reject) => {
          this.#end = (reason) => (reason === undefined ? resolve() : reject(new UnwellError(reason)));
        });
      } finally {
        this.underWay -= 1;
      }
    };
    this.checker = new HealthChecker({
      target: { host: '192.0.2.1', port: 80, backendName: 'a' },
      check: spec,
      probe: spec.type === 'none' ? undefined : probe,
      clock: this.clock,
      random,
      onVerdict: (up, last) => {
        this.verdicts.push(`${up ? 'up' : 'down'}: ${last}`);
        this.onVerdict();
      },
      onCheck: (passed) => void this.results.push(passed),
    });
  }

  async passes(): Promise<void> {
    assert.equal(this.underWay, 1, 'a check is under way');
    this.#end(undefined);
    await everythingSettled();
  }

  async fails(reason: string): Promise<void> {
    assert.equal(this.underWay, 1, 'a check is under way');
    this.#end(reason);
    await everythingSettled();
  }

  async advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    await everythingSettled();
  }

  /** Asserts that the next check begins after `ms` and not a moment before. */
  async checksAfter(ms: number): Promise<void> {
    const before = this.begun;
    await this.advance(ms - 1);
    assert.equal(this.begun, before, `no check before ${ms} ms`);
    await this.advance(1);
    assert.equal(this.begun, before + 1, `a check after ${ms} ms`);
  }
}

async function started(spec?: CheckSpec): Promise<Bench> {
  const bench = new Bench(spec);
  bench.checker.start();
  await bench.advance(0);
  return bench;
}

async function up(): Promise<Bench> {
  const bench = await started();
  await bench.passes();
  bench.verdicts.length = 0;
  return bench;
}

describe('a health checker', () => {
  it('believes a backend to be up before it was checked', () => {
    const { checker, verdicts } = new Bench();
    assert.equal(checker.up, true);
    assert.deepEqual(checker.view(), { last: 'unchecked', sinceMs: 0 });
    assert.deepEqual(verdicts, []);
  });

  it('checks at once, and again an interval after each answer', async () => {
    const bench = await started();
    assert.equal(bench.begun, 1);
    await bench.passes();
    await bench.checksAfter(1000);
    await bench.advance(300);
    await bench.passes();
    await bench.checksAfter(1000);
  });

  it('spreads first checks where many backends start together', async () => {
    const bench = new Bench();
    bench.checker.start(101);
    await bench.checksAfter(50);
  });

  it('varies the wait by the randomness it is given', async () => {
    const bench = new Bench(check, () => 0);
    bench.checker.start();
    await bench.advance(0);
    await bench.passes();
    await bench.checksAfter(900);
  });

  it('says so when the first check passes', async () => {
    const bench = await started();
    await bench.passes();
    assert.deepEqual(bench.verdicts, ['up: ok']);
  });

  it('takes a backend down that fails its first check', async () => {
    const bench = await started();
    await bench.fails('connection refused');
    assert.deepEqual(bench.verdicts, ['down: connection refused']);
    assert.equal(bench.checker.up, false);
  });

  it('looks again soon after a surprising answer, and says when it is believed', async () => {
    const bench = await up();
    await bench.checksAfter(1000);
    await bench.fails('status 503');
    await bench.checksAfter(200);
    await bench.fails('status 503');
    await bench.checksAfter(200);
    await bench.fails('status 503');
    assert.deepEqual(bench.verdicts, ['up: status 503', 'down: status 503']);
    await bench.checksAfter(1000);
    await bench.passes();
    await bench.checksAfter(200);
    await bench.passes();
    assert.deepEqual(bench.verdicts.slice(2), ['down: ok', 'up: ok']);
    await bench.checksAfter(1000);
  });

  it('says nothing while nothing changes', async () => {
    const bench = await up();
    for (let i = 0; i < 3; i++) {
      await bench.advance(1000);
      await bench.passes();
    }
    assert.deepEqual(bench.verdicts, []);
  });

  it('aborts a check that takes too long', async () => {
    const bench = await started();
    await bench.advance(499);
    assert.equal(bench.aborted, false);
    await bench.advance(1);
    assert.equal(bench.aborted, true);
    assert.deepEqual(bench.verdicts, ['down: timed out']);
    await bench.checksAfter(1000);
  });

  it('remembers how long the last checks took, and which of them failed', async () => {
    const bench = await started();
    assert.deepEqual(bench.checker.checks, []);
    await bench.advance(7);
    await bench.passes();
    await bench.advance(1000);
    await bench.fails('no answer');
    assert.deepEqual(bench.checker.checks, [7, null]);
    assert.deepEqual(bench.results, [true, false]);
    await bench.advance(200);
    await bench.passes();
    for (let i = 0; i < 25; i++) {
      await bench.advance(1000);
      await bench.passes();
    }
    assert.deepEqual(bench.checker.checks, Array(20).fill(0));
  });

  it('tells for how long a backend has been up or down', async () => {
    const bench = await up();
    await bench.advance(1000);
    await bench.passes();
    assert.deepEqual(bench.checker.view(), { last: 'ok', sinceMs: 1000 });
    for (let i = 0; i < 3; i++) bench.checker.observeFailure('connection refused');
    assert.deepEqual(bench.checker.view(), { last: 'connection refused', sinceMs: 0 });
    await bench.advance(30);
    assert.deepEqual(bench.checker.view(), { last: 'connection refused', sinceMs: 30 });
  });

  it('checks soon after traffic failed, and no later for more of it', async () => {
    const bench = await up();
    await bench.advance(300);
    bench.checker.observeFailure('connection refused');
    await bench.advance(150);
    bench.checker.observeFailure('connection refused');
    await bench.checksAfter(50);
  });

  it('does not put off a check that is due sooner', async () => {
    const bench = await up();
    await bench.advance(900);
    bench.checker.observeFailure('connection refused');
    await bench.checksAfter(100);
  });

  it('takes a backend down that traffic fails on, until checks pass again', async () => {
    const bench = await up();
    for (let i = 0; i < 4; i++) bench.checker.observeFailure('connection refused');
    assert.deepEqual(bench.verdicts, ['up: connection refused', 'down: connection refused']);
    bench.checker.observeSuccess();
    assert.equal(bench.checker.up, false);
    await bench.advance(200);
    await bench.passes();
    await bench.advance(200);
    await bench.passes();
    assert.deepEqual(bench.verdicts.slice(2), ['down: ok', 'up: ok']);
  });

  it('forgives failed traffic when traffic passes again', async () => {
    const bench = await up();
    for (const _ of [1, 2, 3]) {
      bench.checker.observeFailure('connection reset');
      bench.checker.observeFailure('connection reset');
      bench.checker.observeSuccess();
    }
    assert.equal(bench.checker.up, true);
    assert.deepEqual(bench.verdicts, ['up: connection reset']);
  });

  it('runs one check at a time, whatever is asked of it meanwhile', async () => {
    const bench = await started();
    bench.checker.checkNow();
    for (let i = 0; i < 3; i++) bench.checker.observeFailure('connection refused');
    await bench.advance(450);
    assert.equal(bench.begun, 1);
  });

  it('checks now when it is told to, and then not until an interval later', async () => {
    const bench = await up();
    await bench.advance(600);
    bench.checker.checkNow();
    await bench.advance(0);
    assert.equal(bench.begun, 2);
    await bench.passes();
    await bench.checksAfter(1000);
  });

  it('is silent once stopped, and leaves no check and no timer behind', async () => {
    const bench = await started();
    bench.checker.stop();
    await everythingSettled();
    assert.equal(bench.aborted, true);
    bench.checker.observeFailure('connection refused');
    bench.checker.observeSuccess();
    bench.checker.checkNow();
    await bench.advance(60_000);
    assert.equal(bench.begun, 1);
    assert.equal(bench.clock.pendingTimers, 0);
    assert.deepEqual([bench.verdicts, bench.results], [[], []]);
  });

  it('can be stopped between checks', async () => {
    const bench = await up();
    bench.checker.stop();
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('can be stopped from within its own callback', async () => {
    const bench = await started();
    bench.onVerdict = () => bench.checker.stop();
    await bench.fails('connection refused');
    assert.deepEqual(bench.verdicts, ['down: connection refused']);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('always has exactly one timer and at most one check, and tells of every change', async () => {
    const steps = fc.constantFrom('wait', 'pass', 'fail', 'traffic passes', 'traffic fails', 'check now');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(steps, fc.nat(700)), { maxLength: 40 }), async (script) => {
        const bench = await started();
        let told = 'up: unchecked';
        for (const [step, ms] of script) {
          if (step === 'wait') await bench.advance(ms);
          else if (step === 'traffic passes') bench.checker.observeSuccess();
          else if (step === 'traffic fails') bench.checker.observeFailure(`reason ${ms % 2}`);
          else if (step === 'check now') bench.checker.checkNow();
          else if (bench.underWay > 0) await (step === 'pass' ? bench.passes() : bench.fails('status 500'));
          const { up, view } = { up: bench.checker.up, view: bench.checker.view() };
          told = bench.verdicts.at(-1) ?? told;
          assert.equal(told, `${up ? 'up' : 'down'}: ${view.last}`);
          assert.equal(bench.clock.pendingTimers, 1);
          assert.ok(bench.underWay <= 1);
        }
        bench.checker.stop();
        await everythingSettled();
        assert.equal(bench.clock.pendingTimers + bench.underWay, 0);
      }),
      { numRuns: 200 },
    );
  });
});

describe('a health checker without checks', () => {
  it('asks nothing, and has nothing to wait for', async () => {
    const bench = await started({ type: 'none' });
    bench.checker.checkNow();
    assert.equal(bench.clock.pendingTimers, 0);
    assert.deepEqual(bench.checker.view(), { last: 'unchecked', sinceMs: 0 });
  });

  it('takes a backend down that traffic fails on, and tries it again after a while', async () => {
    const bench = await started({ type: 'none' });
    for (let i = 0; i < 3; i++) bench.checker.observeFailure('connection refused');
    await bench.advance(9_999);
    assert.equal(bench.checker.up, false);
    await bench.advance(1);
    assert.equal(bench.checker.up, true);
    assert.deepEqual(bench.verdicts, ['up: connection refused', 'down: connection refused', 'up: on trial']);
  });

  it('holds a backend again whose trial fails', async () => {
    const bench = await started({ type: 'none' });
    for (let i = 0; i < 3; i++) bench.checker.observeFailure('connection refused');
    await bench.advance(10_000);
    bench.checker.observeFailure('timed out');
    assert.equal(bench.verdicts.at(-1), 'down: timed out');
    await bench.advance(10_000);
    assert.equal(bench.verdicts.at(-1), 'up: on trial');
  });

  it('trusts a backend again whose trial passes', async () => {
    const bench = await started({ type: 'none' });
    for (let i = 0; i < 3; i++) bench.checker.observeFailure('connection refused');
    await bench.advance(10_000);
    bench.checker.observeSuccess();
    assert.equal(bench.verdicts.at(-1), 'up: ok');
    bench.checker.observeFailure('connection refused');
    assert.equal(bench.checker.up, true);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('leaves no hold behind when it is stopped', async () => {
    const bench = await started({ type: 'none' });
    for (let i = 0; i < 3; i++) bench.checker.observeFailure('connection refused');
    bench.checker.stop();
    assert.equal(bench.clock.pendingTimers, 0);
  });
});
