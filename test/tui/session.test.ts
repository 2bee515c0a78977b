import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { Key } from '../../lib/tui/keys.ts';
import { chosenFlow } from '../../lib/tui/rows.ts';
import { Session } from '../../lib/tui/session.ts';
import type { DashboardState, ViewName } from '../../lib/tui/state.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeWorld } from './fake-world.ts';

interface Bench {
  readonly world: FakeWorld;
  readonly clock: ManualClock;
  readonly session: Session;
  /** What has been shown. */
  readonly shown: DashboardState[];
  readonly calls: string[];
  press(key: string): Promise<void>;
  pass(ms: number): Promise<void>;
}

async function start(
  t: TestContext,
  {
    view = 'overview',
    show = () => undefined,
  }: { view?: ViewName; show?: (state: DashboardState) => void } = {},
): Promise<Bench> {
  const world = new FakeWorld();
  const clock = new ManualClock();
  const shown: DashboardState[] = [];
  const calls: string[] = [];
  const session = new Session({
    instance: world,
    clock,
    beginning: { size: { columns: 80, rows: 24 }, place: 'inside', view },
    show(state) {
      shown.push(state);
      show(state);
    },
    redraw: () => void calls.push('redraw'),
    stop: () => void calls.push('stop'),
  });
  session.ended.catch(() => undefined);
  t.after(() => session.close());
  session.start();
  await settle();
  return {
    ...{ world, clock, session, shown, calls },
    async press(key) {
      session.dispatch({
        type: 'key',
        key: (key.length === 1 ? { name: 'text', text: key } : { name: key }) as Key,
      });
      await settle();
    },
    async pass(ms) {
      world.seconds += ms / 1_000;
      clock.advance(ms);
      await settle();
    },
  };
}

/** Lets all answers arrive. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 5; turns++) await turn();
}

const statusAsked = ({ world }: Bench): number => world.asked.filter((each) => each === 'status').length;

describe('a session of the dashboard', () => {
  it('shows something before the instance has answered, and what it has answered after', async (t) => {
    const { shown, clock } = await start(t);
    assert.equal(shown[0]!.sample, undefined);
    clock.advance(50);
    assert.equal(shown.at(-1)!.sample!.status.name, 'edge-1');
    assert.equal(shown.at(-1)!.log.length, 3);
  });

  it('asks again and again, twice a second at most', async (t) => {
    const bench = await start(t);
    for (let halves = 0; halves < 20; halves++) await bench.pass(500);
    assert.equal(statusAsked(bench), 21);
  });

  it('asks less often the longer an answer and its picture take', async (t) => {
    const bench: Bench = await start(t, { show: () => bench?.clock.advance(0) });
    const { world, clock } = bench;
    const { status } = world;
    world.status = async () => {
      clock.advance(100);
      return status.call(world);
    };
    for (let steps = 0; steps < 60; steps++) await bench.pass(500);
    // 100 ms of every 3.1 s.
    assert.ok(statusAsked(bench) <= 12, `${statusAsked(bench)} in 30 s`);
  });

  it('asks for flows only where they are shown, and for the way of one only with its details', async (t) => {
    const bench = await start(t);
    const asked = (what: string) => bench.world.asked.some((each) => Array.isArray(each) && each[0] === what);
    assert.deepEqual([asked('flows'), asked('trace')], [false, false]);
    await bench.press('2');
    assert.deepEqual([asked('flows'), asked('trace')], [true, false]);
    await bench.press('enter');
    assert.equal(asked('trace'), true);
  });

  it('tells the way of the flow that is shown, also where each moment has other flows', async (t) => {
    const bench = await start(t);
    const { world } = bench;
    const { flows } = world;
    let moment = 0;
    world.flows = async (query) => {
      const found = await flows.call(world, query);
      const first = moment++ % found.flows.length;
      return { ...found, flows: found.flows.slice(first, first + 1) };
    };
    await bench.press('2');
    await bench.press('enter');
    const seen = new Set<string>();
    for (let steps = 0; steps < 5; steps++) {
      await bench.pass(500);
      const { state } = bench.session;
      const flow = chosenFlow(state)!;
      assert.equal(state.sample!.trace?.client, flow.client);
      seen.add(flow.client);
    }
    assert.ok(seen.size > 1);
  });

  it('asks for no line of the log twice', async (t) => {
    const bench = await start(t);
    bench.world.logged = 5;
    await bench.pass(500);
    await bench.pass(500);
    assert.deepEqual(
      bench.world.asked.filter((each) => Array.isArray(each) && each[0] === 'log'),
      [0, 3, 5].map((after) => ['log', after]),
    );
    assert.equal(bench.session.state.log.length, 5);
  });

  it('reads the log of another process from its beginning', async (t) => {
    const bench = await start(t);
    bench.world.pid++;
    await bench.pass(500);
    assert.deepEqual(
      bench.session.state.log.map(({ sequence }) => sequence),
      [1, 2, 3],
    );
  });

  it('goes on asking an instance that is gone, and finds it again', async (t) => {
    const bench = await start(t);
    bench.world.obstacle = new Error('no instance answers');
    await bench.pass(500);
    assert.deepEqual(bench.session.state.link, {
      state: 'lost',
      sinceMs: 500,
      reason: 'no instance answers',
    });
    await bench.pass(500);
    await bench.pass(500);
    assert.equal(bench.shown.at(-1)!.nowMs, 1_500);
    bench.world.obstacle = undefined;
    await bench.pass(500);
    assert.equal(bench.session.state.link.state, 'live');
  });

  it('asks nothing while it is paused', async (t) => {
    const bench = await start(t);
    await bench.press('p');
    const before = statusAsked(bench);
    const { sample } = bench.session.state;
    for (let seconds = 0; seconds < 10; seconds++) await bench.pass(1_000);
    assert.equal(statusAsked(bench), before);
    assert.equal(bench.session.state.sample, sample);
    await bench.press('p');
    assert.equal(statusAsked(bench), before + 1);
    await bench.pass(500);
    assert.equal(statusAsked(bench), before + 2);
  });

  it('draws no faster than the eye sees, and nothing twice', async (t) => {
    const bench = await start(t, { view: 'backends' });
    bench.clock.advance(100);
    const before = bench.shown.length;
    for (let keys = 0; keys < 50; keys++) {
      bench.session.dispatch({ type: 'key', key: { name: keys % 2 === 0 ? 'down' : 'up' } });
      bench.clock.advance(4);
    }
    const frames = bench.shown.length - before;
    assert.ok(frames >= 4 && frames <= 6, `${frames} frames in 200 ms`);
  });

  it('does what is asked of it, and says what came of it', async (t) => {
    const bench = await start(t, { view: 'backends' });
    await bench.press('d');
    await bench.press('y');
    assert.deepEqual(
      bench.world.asked.find((each) => Array.isArray(each) && each[0] === 'patch'),
      ['patch', 'dns', '10.0.2.31:53', { state: 'draining' }],
    );
    assert.equal(bench.session.state.notice?.text, '10.0.2.31:53 is draining');
    bench.world.obstacle = new Error('there is no backend');
    await bench.press('e');
    await bench.press('y');
    assert.deepEqual(
      [bench.session.state.notice?.text, bench.session.state.notice?.tone],
      ['there is no backend', 'bad'],
    );
    await bench.press('ctrl-l');
    await bench.press('ctrl-c');
    assert.deepEqual(bench.calls, ['redraw', 'stop']);
  });

  it('ends once it is closed, and leaves no timer behind', async (t) => {
    const { session, clock } = await start(t);
    session.close();
    await session.ended;
    assert.equal(clock.pendingTimers, 0);
    session.dispatch({ type: 'key', key: { name: 'text', text: '2' } });
    assert.equal(session.state.view, 'overview');
  });

  it('ends with an error where a picture cannot be made, and throws it at nobody', async (t) => {
    let isBroken = false;
    const bench = await start(t, {
      show: () => {
        if (isBroken) throw new TypeError('a defect');
      },
    });
    isBroken = true;
    await bench.pass(500);
    await assert.rejects(bench.session.ended, /a defect/);
    assert.equal(bench.clock.pendingTimers, 0);
  });
});
