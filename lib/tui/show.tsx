/**
 * Shows the dashboard on a terminal until the person quits. Whoever shows it loads it by `load.ts`.
 *
 *     keyboard ─▶ Ink ─▶ Session ─▶ state ─▶ Ink ─▶ Canvas ─▶ Screen
 *                          ▲ instance
 */
import { render } from 'ink';
import type { ReachableInstance } from '../control/reachable.ts';
import type { Clock } from '../model/clock.ts';
import { Canvas } from './canvas.ts';
import { Dashboard } from './components/dashboard.tsx';
import { Keyboard } from './components/keyboard.tsx';
import { postGuardian } from './guardian.ts';
import { colourPalette, plainPalette } from './palette.ts';
import { Screen } from './screen.ts';
import { Session } from './session.ts';
import type { Beginning } from './state.ts';

export interface ShowOptions {
  readonly instance: ReachableInstance;
  readonly clock: Clock;
  /** Both are terminals. */
  readonly stdin: NodeJS.ReadStream & { readonly fd: number };
  readonly stdout: NodeJS.WriteStream & { readonly fd: number };
  readonly colour: boolean;
  readonly beginning: Omit<Beginning, 'size'>;
  /** The person wants the instance to stop inside of which the dashboard is. */
  readonly stop?: () => void;
}

export interface Shown {
  /** Resolves when the terminal is as it was before; rejects with a defect of the dashboard. */
  readonly ended: Promise<void>;
  /** Ends it. */
  close(): void;
}

/** Takes the terminal, and gives it back whatever happens. */
export async function showDashboard(options: ShowOptions): Promise<Shown> {
  const { instance, clock, stdin, stdout, colour, beginning, stop = () => undefined } = options;
  const palette = colour ? colourPalette : plainPalette;
  const guardian = await postGuardian(stdin.fd, stdout.fd);
  const screen = new Screen(stdout);
  const canvas = new Canvas(
    () => screen.size,
    (frame) => screen.draw(frame),
  );
  const picture = (state: Session['state']) => (
    <>
      <Dashboard state={state} palette={palette} />
      <Keyboard onKey={(key) => session.dispatch({ type: 'key', key })} />
    </>
  );
  const session: Session = new Session({
    instance,
    clock,
    beginning: { ...beginning, size: screen.size },
    show: (state) => ink.rerender(picture(state)),
    redraw: () => screen.clear(),
    stop,
  });
  screen.open();
  const ink = render(picture(session.state), {
    stdin,
    stdout: canvas as unknown as NodeJS.WriteStream,
    // Every picture, whole and at once; without this Ink would write to a terminal.
    debug: true,
    exitOnCtrlC: false,
    patchConsole: false,
  });
  const onResize = () => {
    screen.clear();
    session.dispatch({ type: 'resized', size: screen.size });
  };
  stdout.on('resize', onResize);
  session.start();
  const ended = Promise.race([session.ended, ink.waitUntilExit()]).then(() => undefined);
  return {
    ended: ended.finally(() => {
      session.close();
      stdout.off('resize', onResize);
      ink.unmount();
      screen.close();
      guardian.dismiss();
    }),
    close: () => session.close(),
  };
}
