import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Watchdog } from '../../lib/datapath/watchdog.ts';
import type { WorkerThread } from '../../lib/datapath/worker-thread.ts';
import { silentLog } from '../../lib/model/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A worker that lives until it is told, or dies of an error. */
class FakeThread implements WorkerThread {
  terminated = 0;
  readonly ended: Promise<unknown>;
  end: (error?: unknown) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.end = resolve;
    });
  }

  post(): void {}

  async terminate(): Promise<void> {
    this.terminated++;
    this.end();
  }
}

describe('a watchdog', () => {
  let clock: ManualClock;
  let threads: FakeThread[];
  let refusals: number;
  let beat: number;
  let watchdog: Watchdog;

  beforeEach(async () => {
    clock = new ManualClock();
    threads = [];
    refusals = 0;
    beat = 0;
    const start = async (): Promise<WorkerThread> => {
      if (refusals > 0) {
        refusals--;
        throw new Error('queue 1 is in use');
      }
      const thread = new FakeThread();
      threads.push(thread);
      return thread;
    };
    watchdog = new Watchdog({ worker: 0, start, heartbeat: () => beat, clock, log: silentLog });
    await watchdog.begin();
  });

  /** Lets time pass, with or without a heart that beats. */
  async function pass(ms: number, beats: boolean): Promise<void> {
    for (let passed = 0; passed < ms; passed += 100) {
      if (beats) beat++;
      clock.advance(100);
      await turn();
    }
  }

  it('leaves a worker alone whose heart beats', async () => {
    await pass(60_000, true);
    assert.deepEqual([threads.length, threads[0]!.terminated, watchdog.restarts], [1, 0, 0]);
  });

  it('ends a worker whose heart stands still, and replaces it', async () => {
    await pass(10_000, true);
    await pass(2_900, false);
    assert.equal(threads[0]!.terminated, 0);
    await pass(1_000, false);
    assert.deepEqual([threads[0]!.terminated, threads.length, watchdog.restarts], [1, 2, 1]);
    assert.equal(watchdog.thread, threads[1]);
  });

  it('replaces a worker that has died at once', async () => {
    await pass(10_000, true);
    threads[0]!.end(new Error('out of memory'));
    await turn();
    assert.equal(watchdog.thread, threads[1]);
  });

  it('waits before it replaces one that died young', async () => {
    threads[0]!.end(new Error('no such file'));
    await turn();
    assert.equal(watchdog.thread, undefined);
    await pass(1_000, false);
    assert.equal(watchdog.thread, threads[1]);
  });

  it('tries again and again when there is no replacing it', async () => {
    await pass(5_000, true);
    refusals = 3;
    threads[0]!.end();
    await pass(2_900, false);
    assert.equal(watchdog.thread, undefined);
    await pass(200, false);
    assert.deepEqual([watchdog.thread, watchdog.restarts], [threads[1], 1]);
  });

  it('replaces nobody once it is to end, and leaves no timer', async () => {
    const ending = watchdog.end();
    threads[0]!.end();
    await ending;
    await pass(10_000, false);
    assert.deepEqual([threads.length, clock.pendingTimers], [1, 0]);
  });

  it('ends a worker that does not end by itself', async () => {
    const ending = watchdog.end();
    await pass(3_000, false);
    await ending;
    assert.equal(threads[0]!.terminated, 1);
  });
});
