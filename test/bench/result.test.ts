import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { alternate, type Conditions, type Measure, type Probe, type Sample } from './measure.ts';
import { evaluate, median } from './result.ts';
import { table } from './table.ts';

const conditions: Conditions = { sluice: [], core: 0, loadCore: 0 };

/** A measure whose contenders read what the lists say, again from the start when a list is used up. */
function scripted(lists: Record<string, readonly Sample[]>, options: Partial<Measure> = {}) {
  const order: string[] = [];
  const seconds: number[] = [];
  const measure: Measure = {
    name: 'requests',
    unit: '1/s',
    floors: [],
    ...options,
    async withContenders(_, take) {
      const probes = Object.entries(lists).map(([name, samples]): [string, Probe] => {
        let next = 0;
        return [
          name,
          async (forSeconds) => {
            order.push(name);
            seconds.push(forSeconds);
            return samples[next++ % samples.length]!;
          },
        ];
      });
      await take(new Map(probes));
    },
  };
  return { measure, order, seconds };
}

describe('the alternation of contenders', () => {
  it('warms each up once, then moves the order on by one each round', async () => {
    const one = [{ value: 1 }];
    const { measure, order, seconds } = scripted({ sluice: one, haproxy: one, nginx: one });
    const readings = await alternate(measure, conditions, 2, 3);
    assert.equal(order.join(' '), 'sluice haproxy nginx sluice haproxy nginx haproxy nginx sluice');
    assert.deepEqual(seconds, [1, 1, 1, 3, 3, 3, 3, 3, 3]);
    assert.deepEqual(
      [...readings.values()].map((samples) => samples.length),
      [2, 2, 2],
    );
  });
});

describe('a result', () => {
  const rates = (...values: number[]) =>
    values.map((value) => ({ value, cpuMicros: 1000 / value, failures: 1 }));
  const readings = new Map([
    ['sluice', rates(80, 40, 90)],
    ['haproxy', rates(100, 50, 60)],
  ]);
  const { measure } = scripted({}, { per: 'request', floors: [{ against: 'haproxy', atLeast: 0.8 }] });

  it('compares contenders round by round, so that a slow round of all does not count', () => {
    const { figure, cpu, failures, rounds } = evaluate(measure, readings);
    assert.deepEqual(figure.medians, { sluice: 80, haproxy: 60 });
    assert.deepEqual(figure.ratios, { haproxy: 0.8 });
    assert.deepEqual(cpu?.ratios, { haproxy: 1.25 });
    assert.deepEqual(failures, { sluice: 3, haproxy: 3 });
    assert.equal(rounds, 3);
  });

  it('reaches a floor at its value and misses it below', () => {
    const reached = (atLeast: number) =>
      evaluate({ ...measure, floors: [{ against: 'haproxy', atLeast }] }, readings).reached;
    assert.equal(reached(0.8), true);
    assert.equal(reached(0.81), false);
    assert.equal(evaluate({ ...measure, floors: [{ atMost: 80 }] }, readings).reached, true);
    assert.equal(evaluate({ ...measure, floors: [{ atMost: 79 }] }, readings).reached, false);
  });

  it('misses a floor against who took no part', () => {
    assert.equal(
      evaluate({ ...measure, floors: [{ against: 'nginx', atLeast: 0.1 }] }, readings).reached,
      false,
    );
  });

  it('misses a floor of its processor time by itself, where less is better', () => {
    const reached = (atMost: number) =>
      evaluate({ ...measure, cpuFloors: [{ against: 'haproxy', atMost }] }, readings);
    assert.equal(reached(1.25).cpuReached, true);
    assert.equal(reached(1.24).cpuReached, false);
    assert.equal(reached(1.24).reached, true);
    assert.match(table([reached(1.24)])[2]!, /1\.25 {2}≤ 1\.24 haproxy +MISSED$/);
  });

  it('is shown in a table, its processor time on a line of its own', () => {
    assert.deepEqual(table([evaluate(measure, readings)]), [
      'measure   unit            sluice  haproxy  sluice/haproxy  floor',
      'requests  1/s               80.0     60.0            0.80  ≥ 0.80 haproxy  ok',
      '          CPU µs/request    12.5     16.7            1.25',
    ]);
  });
});

describe('the median', () => {
  it('is the middle value, or the mean of the two middle ones', () => {
    assert.equal(median([3, 1, 200]), 3);
    assert.equal(median([4, 1, 2, 200]), 3);
    assert.ok(Number.isNaN(median([])));
  });
});
