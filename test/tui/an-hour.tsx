/**
 * The dashboard over a length of time, as fast as it goes: its pictures through Ink, in all views, with the keys of a
 * restless person. To be loaded as whoever shows the dashboard loads it: see lib/tui/load.ts.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { render } from 'ink';
import { Canvas } from '../../lib/tui/canvas.ts';
import { Dashboard } from '../../lib/tui/components/dashboard.tsx';
import type { Key } from '../../lib/tui/keys.ts';
import { colourPalette } from '../../lib/tui/palette.ts';
import { Session } from '../../lib/tui/session.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeWorld } from './fake-world.ts';

/** Small, so that an hour of pictures does not take minutes to make. */
const size = { columns: 60, rows: 12 } as const;
/** As often as it asks at most. */
const stepMs = 500;
/** Every view, the details, the help and the prompts, once a minute. */
const keys = [
  ...'2jj',
  'enter',
  ...'jj>r',
  'escape',
  ...'3jd',
  'escape',
  ...'4k1?x:',
  'escape',
  ...'2/1',
  'escape',
];
const keysEvery = 120;

/** Begins; the answer lives through so many minutes, and says how many pictures there have been since the beginning. */
export function beginHour() {
  const [world, clock] = [new FakeWorld(), new ManualClock()];
  let pictures = 0;
  const canvas = new Canvas(
    () => size,
    () => pictures++,
  );
  const pictureOf = (state: Session['state']) => <Dashboard state={state} palette={colourPalette} />;
  const session: Session = new Session({
    instance: world,
    clock,
    beginning: { size, place: 'attached' },
    show: (state) => ink.rerender(pictureOf(state)),
    redraw: () => undefined,
    stop: () => undefined,
  });
  const ink = render(pictureOf(session.state), {
    stdout: canvas as unknown as NodeJS.WriteStream,
    debug: true,
    patchConsole: false,
  });
  session.start();
  let step = 0;
  return {
    async live(minutes: number): Promise<number> {
      for (const end = step + (minutes * 60_000) / stepMs; step < end; step++) {
        const key = keys[step % keysEvery];
        if (key !== undefined) session.dispatch({ type: 'key', key: keyCalled(key) });
        world.seconds += stepMs / 1_000;
        world.asked.length = 0;
        clock.advance(stepMs);
        for (let turns = 0; turns < 3; turns++) await turn();
      }
      return pictures;
    },
    async end(): Promise<void> {
      session.close();
      await session.ended;
      ink.unmount();
    },
  };
}

function keyCalled(name: string): Key {
  return (name.length > 1 ? { name } : { name: 'text', text: name }) as Key;
}
