/** One picture of an instance without a terminal: the same that the dashboard shows, as SVG. */
import { setTimeout as delay } from 'node:timers/promises';
import { renderToString } from 'ink';
import type { ReachableInstance } from '../control/reachable.ts';
import type { Clock } from '../model/clock.ts';
import { Dashboard } from './components/dashboard.tsx';
import { colourPalette } from './palette.ts';
import { Session } from './session.ts';
import type { DashboardState, Size, ViewName } from './state.ts';
import { frameToSvg } from './svg.ts';

export interface SnapshotOptions {
  readonly instance: ReachableInstance;
  readonly clock: Clock;
  readonly view: ViewName;
  readonly size: Size;
}

const pollMs = 50;

/** Resolves once the instance has been asked twice, so that rates are known; rejects if it does not answer. */
export async function takeSnapshot({ instance, clock, view, size }: SnapshotOptions): Promise<string> {
  await instance.status();
  const nothing = () => undefined;
  const beginning = { size, view, place: 'attached' } as const;
  const session = new Session({ instance, clock, beginning, show: nothing, redraw: nothing, stop: nothing });
  session.start();
  while (session.state.before === undefined && session.state.link.state !== 'lost') await delay(pollMs);
  session.close();
  return drawSvg(session.state);
}

/** The picture of a state. */
export function drawSvg(state: DashboardState): string {
  const { size, sample, view } = state;
  const frame = renderToString(<Dashboard state={state} palette={colourPalette} />, {
    columns: size.columns,
  });
  return frameToSvg(frame, size, `sluice top: ${view} of ${sample?.status.name ?? 'an instance'}`);
}
