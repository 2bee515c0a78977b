import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { logEvent, numbersLine, trafficEvent } from '../../lib/tui/numbers.ts';
import { withoutAnswers, worldAt } from './world.ts';

Object.assign(process.env, { TZ: 'UTC' });

const { status, history, log } = worldAt('ipv4', 100);
const [step] = history.steps;
const timeMs = Date.UTC(2026, 10, 23, 12, 0, 1);

describe('a second of numbers', () => {
  it('is a line', () => {
    assert.equal(
      numbersLine({ timeMs, status, step }),
      '12:00:01  flows 90  new 1.5k/s  in 76.0 Mbit/s 84.0k packets/s  out 1.5 Gbit/s 151k packets/s  drops 0/s  up 4/5',
    );
  });

  it('says nothing of packets where nobody sees them, and of rates in the first second', () => {
    assert.match(
      numbersLine({ timeMs, status, step: { ...step!, packetsIn: null } }),
      /in 76\.0 Mbit\/s {2}out/,
    );
    assert.match(numbersLine({ timeMs, status, step: undefined }), /new –\/s {2}in – {2}out – /);
  });

  it('says nothing of answers that go past this machine', () => {
    const { status: blind, history: unseen } = withoutAnswers(worldAt('ipv4', 100));
    const second = { timeMs, status: blind, step: unseen.steps[0] };
    assert.match(numbersLine(second), /in 76\.0 Mbit\/s 84\.0k packets\/s {2}out – {2}drops/);
    const { bytesInPerSecond, bytesOutPerSecond } = trafficEvent(second);
    assert.deepEqual([bytesInPerSecond, bytesOutPerSecond], [9_500_000, null]);
  });

  it('is an event for scripts, and so is a line of the log', () => {
    assert.deepEqual(trafficEvent({ timeMs, status, step }), {
      event: 'traffic',
      timeMs,
      instance: 'edge-1',
      state: 'serving',
      flows: 90,
      backends: 5,
      backendsUp: 4,
      connectionsPerSecond: 1_510,
      packetsInPerSecond: 84_000,
      packetsOutPerSecond: 151_000,
      bytesInPerSecond: 9_500_000,
      bytesOutPerSecond: 186_000_000,
      droppedPerSecond: 0,
    });
    assert.equal(trafficEvent({ timeMs, status, step: undefined }).bytesInPerSecond, null);
    assert.deepEqual(logEvent(log[0]!), { event: 'log', ...log[0] });
  });
});
