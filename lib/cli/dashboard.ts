/** The dashboard inside the process of an instance: shown once that is ready, away before the process says its last words. */
import type { Controllable } from '../control/controllable.ts';
import { withinProcess } from '../control/reachable.ts';
import type { Screen } from './terminal.ts';

export interface DashboardWords {
  /** A line at the foot of the overview. */
  readonly hint?: string;
  /** Whether quitting stops the instance only after a question; it does unless told otherwise. */
  readonly asksBeforeStop?: boolean;
}

export interface InsideDashboard {
  /** Whether the terminal is the dashboard's: nobody else may write to it. */
  readonly isShown: boolean;
  /** Resolves when the terminal is as it was. */
  close(): Promise<void>;
}

/** Begins to load it. `fail` hears of a dashboard that broke; the instance goes on without. */
export function showInside(
  instance: Controllable,
  { stdin, stdout, colour }: Screen,
  words: DashboardWords,
  fail: (error: unknown) => void,
): InsideDashboard {
  let isShown = false;
  const shown = (async () => {
    const [{ loadDashboard }, { systemClock }] = await Promise.all([
      import('../tui/load.ts'),
      import('../daemon/clock.ts'),
    ]);
    const { showDashboard } = await loadDashboard();
    const dashboard = await showDashboard({
      instance: withinProcess(instance),
      clock: systemClock,
      stdin,
      stdout,
      colour,
      beginning: { ...words, place: 'inside' },
      // As from the keyboard of a terminal without a dashboard: once to drain, twice to end.
      stop: () => process.kill(process.pid, 'SIGINT'),
    });
    isShown = true;
    const ended = dashboard.ended
      .finally(() => {
        isShown = false;
      })
      .catch(fail);
    return { ended, close: dashboard.close };
  })();
  shown.catch(fail);
  return {
    get isShown() {
      return isShown;
    },
    async close() {
      const dashboard = await shown.catch(() => undefined);
      dashboard?.close();
      await dashboard?.ended;
    },
  };
}
