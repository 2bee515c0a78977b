/** How `sluice top` shows an instance: on the screen, in lines, or as a picture. */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { ReachableInstance } from '../control/reachable.ts';
import { systemClock } from '../daemon/clock.ts';
import { parseDuration } from '../model/duration.ts';
import { SluiceError, usageError } from '../model/errors.ts';
import { loadDashboard, loadSnapshot } from '../tui/load.ts';
import { logEvent, numbersLine, type Second, trafficEvent } from '../tui/numbers.ts';
import type { Size, ViewName } from '../tui/state.ts';
import { readFlag } from './flag-value.ts';
import type { Screen, Terminal } from './terminal.ts';

const secondMs = 1_000;

export interface WatchOptions {
  readonly view: ViewName | undefined;
  /** After which it ends by itself, as it was typed. */
  readonly duration: string | undefined;
  readonly json: boolean;
  readonly terminal: Terminal;
}

/** Resolves when the person has seen enough, or the time is over. */
export async function watchInstance(instance: ReachableInstance, options: WatchOptions): Promise<void> {
  const forMs = readFlag('--for', options.duration, parseDuration);
  const { screen } = options.terminal;
  if (screen === undefined || options.json) await printNumbers(instance, options, forMs);
  else await showOnScreen(instance, screen, options.view, forMs);
}

async function showOnScreen(
  instance: ReachableInstance,
  { stdin, stdout, colour }: Screen,
  view: ViewName | undefined,
  forMs: number | undefined,
): Promise<void> {
  const { showDashboard } = await loadDashboard();
  const { ended, close } = await showDashboard({
    instance,
    clock: systemClock,
    stdin,
    stdout,
    colour,
    beginning: { place: 'attached', ...(view === undefined ? {} : { view }) },
  });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.once(signal, close);
  const timer = forMs === undefined ? undefined : systemClock.after(forMs, close);
  await ended.finally(() => {
    timer?.cancel();
    for (const signal of signals) process.off(signal, close);
  });
}

/** A line a second, from the first one on; rejects when the instance is gone. */
async function printNumbers(
  instance: ReachableInstance,
  { json, terminal }: WatchOptions,
  forMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  const endMs = systemClock.nowMs() + forMs;
  // Only what comes from now on is news.
  let lastSeen = (await instance.log(0)).entries.at(-1)?.sequence ?? 0;
  for (let dueMs = systemClock.nowMs(); dueMs < endMs; dueMs += secondMs) {
    await delay(Math.max(0, dueMs - systemClock.nowMs()));
    const [status, { steps }, { entries }] = await Promise.all([
      instance.status(),
      instance.history(1),
      json ? instance.log(lastSeen) : { entries: [] },
    ]);
    lastSeen = entries.at(-1)?.sequence ?? lastSeen;
    const second: Second = { timeMs: Date.now(), status, step: steps.at(-1) };
    for (const entry of entries) terminal.print(JSON.stringify(logEvent(entry)));
    terminal.print(json ? JSON.stringify(trafficEvent(second)) : numbersLine(second));
  }
}

export interface DrawOptions {
  readonly file: string;
  readonly view: ViewName;
  /** `COLUMNSxROWS` */
  readonly size: string;
}

/** Writes the picture. */
export async function drawInstance(
  instance: ReachableInstance,
  { file, view, size }: DrawOptions,
): Promise<void> {
  const { takeSnapshot } = await loadSnapshot();
  const picture = await takeSnapshot({ instance, clock: systemClock, view, size: parseSize(size) });
  try {
    writeFileSync(file, picture);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SluiceError('ERR_SLUICE_NOT_WRITABLE', `the picture cannot be written to ${file} (${code})`, {
      remedy: 'name a file in a directory of your own',
      cause: error,
    });
  }
}

const smallest: Size = { columns: 40, rows: 10 };
const largest: Size = { columns: 400, rows: 200 };

function parseSize(text: string): Size {
  const [, columns, rows] = /^(\d+)x(\d+)$/.exec(text)?.map(Number) ?? [];
  if (columns === undefined || rows === undefined) {
    throw usageError(`${JSON.stringify(text)} is not a size`, 'write COLUMNSxROWS, as in 120x36');
  }
  const isFine =
    columns >= smallest.columns &&
    rows >= smallest.rows &&
    columns <= largest.columns &&
    rows <= largest.rows;
  if (!isFine) {
    throw usageError(
      `the size ${text} is out of range`,
      `use ${smallest.columns}x${smallest.rows} to ${largest.columns}x${largest.rows}`,
    );
  }
  return { columns, rows };
}
