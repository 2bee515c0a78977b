import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type RunnerEvent, Tally } from './tally.ts';

const total = (message: string): RunnerEvent => ({ type: 'test:diagnostic', data: { nesting: 0, message } });
const outcome = (type: 'test:pass' | 'test:fail', data: RunnerEvent['data'] = {}): RunnerEvent => ({
  type,
  data,
});

/** What the tally lets through of each run. */
async function watch(tally: Tally, ...runs: RunnerEvent[][]): Promise<RunnerEvent[]> {
  const through: RunnerEvent[] = [];
  for (const events of runs) {
    const source = (async function* () {
      yield* events;
    })();
    for await (const event of tally.watch(source)) through.push(event);
  }
  return through;
}

describe('the tally of several runs', () => {
  it('holds their totals back and adds them up', async () => {
    const tally = new Tally();
    const remark: RunnerEvent = { type: 'test:diagnostic', data: { nesting: 1, message: 'tests 7' } };
    const through = await watch(
      tally,
      [total('tests 2'), remark, total('duration_ms 0.1')],
      [total('tests 3'), total('duration_ms 0.2')],
    );
    assert.deepEqual(through, [remark]);
    assert.deepEqual(tally.summary(), ['ℹ tests 5', 'ℹ duration_ms 0.3']);
    assert.equal(tally.succeeded(), true);
  });

  it('fails when a test failed, unless it is still to do', async () => {
    const tally = new Tally();
    await watch(tally, [outcome('test:fail', { todo: true }), total('tests 1')]);
    assert.equal(tally.succeeded(), true);
    await watch(tally, [outcome('test:fail')]);
    assert.equal(tally.succeeded(), false);
  });

  it('fails when nothing was tested', () => {
    assert.equal(new Tally().succeeded(), false);
  });

  it('says why tests were skipped', async () => {
    const tally = new Tally();
    await watch(tally, [
      outcome('test:pass', { name: 'a', skip: 'needs wrk' }),
      outcome('test:pass', { name: 'b' }),
      outcome('test:pass', { name: 'c', skip: 'needs wrk' }),
      outcome('test:pass', { name: 'd', skip: true }),
      total('tests 4'),
    ]);
    assert.deepEqual(tally.summary(), [
      '﹣ 2 skipped, needs wrk: a; c',
      '﹣ 1 skipped, no reason given: d',
      'ℹ tests 4',
    ]);
  });
});
