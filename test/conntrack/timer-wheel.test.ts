import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TimerWheel } from '../../lib/conntrack/timer-wheel.ts';

const entries = 16;
const slots = 8;

function makeWheel(period = 0): TimerWheel {
  const links = { next: new Int32Array(entries + slots), previous: new Int32Array(entries + slots) };
  return new TimerWheel(links, entries, slots, period);
}

/** Everything that is due by `period`, as a user takes it: what came early is armed anew. */
function takeAll(wheel: TimerWheel, period: number, deadlines: ReadonlyMap<number, number>): number[] {
  const due: number[] = [];
  for (let entry = wheel.take(period); entry !== 0; entry = wheel.take(period)) {
    const deadline = deadlines.get(entry)!;
    if (deadline > period) wheel.arm(entry, deadline);
    else due.push(entry);
  }
  return due.sort((a, b) => a - b);
}

describe('a timer wheel', () => {
  it('gives an entry out in its period, not before and once', () => {
    const wheel = makeWheel();
    wheel.arm(3, 5);
    assert.equal(wheel.take(4), 0);
    assert.equal(wheel.take(5), 3);
    assert.equal(wheel.take(5), 0);
    assert.equal(wheel.take(100), 0);
  });

  it('takes what is already due in the next period', () => {
    const wheel = makeWheel(10);
    wheel.arm(1, 2);
    assert.equal(wheel.take(10), 0);
    assert.equal(wheel.take(11), 1);
  });

  it('forgets what is disarmed', () => {
    const wheel = makeWheel();
    for (const entry of [1, 2, 3]) wheel.arm(entry, 4);
    wheel.disarm(2);
    assert.deepEqual([wheel.take(4), wheel.take(4), wheel.take(4)], [1, 3, 0]);
  });

  it('keeps the far away in its farthest slot', () => {
    const wheel = makeWheel();
    wheel.arm(1, 1_000);
    assert.equal(wheel.take(slots - 2), 0);
    assert.equal(wheel.take(slots - 1), 1, 'to be looked at and armed anew');
  });

  it('tells which is due soonest without taking it', () => {
    const wheel = makeWheel();
    assert.equal(wheel.soonest(), 0);
    wheel.arm(1, 6);
    wheel.arm(2, 3);
    assert.equal(wheel.soonest(), 2);
    assert.equal(wheel.soonest(), 2);
    wheel.disarm(2);
    assert.equal(wheel.soonest(), 1);
  });

  it('agrees with a naive list, whatever is armed, put off and disarmed, however time jumps', () => {
    const entry = fc.integer({ min: 1, max: entries - 1 });
    const step = fc.oneof(
      fc.record({ kind: fc.constant('arm' as const), entry, after: fc.nat(40) }),
      fc.record({ kind: fc.constant('disarm' as const), entry, after: fc.constant(0) }),
      fc.record({ kind: fc.constant('wait' as const), entry: fc.constant(0), after: fc.nat(30) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.nat(100), (steps, start) => {
        const wheel = makeWheel(start);
        const deadlines = new Map<number, number>();
        let now = start;
        for (const { kind, entry: which, after } of steps) {
          if (kind !== 'wait') {
            if (deadlines.delete(which)) wheel.disarm(which);
            if (kind === 'arm') {
              // What is due at once comes in the next period.
              deadlines.set(which, Math.max(now + after, now + 1));
              wheel.arm(which, now + after);
            }
            continue;
          }
          now += after;
          const due = takeAll(wheel, now, deadlines);
          const expected = [...deadlines].filter(([, deadline]) => deadline <= now).map(([key]) => key);
          assert.deepEqual(
            due,
            expected.sort((a, b) => a - b),
          );
          for (const key of due) deadlines.delete(key);
        }
        assert.equal(wheel.soonest() === 0, deadlines.size === 0);
      }),
    );
  });

  it('shares its links with other wheels', () => {
    const links = { next: new Int32Array(4 + 2 * slots), previous: new Int32Array(4 + 2 * slots) };
    const one = new TimerWheel(links, 4, slots, 0);
    const other = new TimerWheel(links, 4 + slots, slots, 0);
    one.arm(1, 2);
    other.arm(2, 2);
    assert.equal(one.take(9), 1);
    assert.equal(one.take(9), 0);
    other.arm(1, 3);
    assert.deepEqual([other.take(9), other.take(9), other.take(9)], [2, 1, 0]);
  });
});
