/** Runs an instance in this process, as `proxy`, `up` and `demo` do, and says when it is ready. */
import type { Controllable } from '../control/controllable.ts';
import type { Reread } from '../daemon/instance.ts';
import { parseDuration } from '../model/duration.ts';
import type { ExitCode } from '../model/errors.ts';
import type { InstanceSpec } from '../model/spec.ts';
import { plural } from '../model/units.ts';
import type { ServiceView } from '../model/view.ts';
import type { Values } from './command.ts';
import { type DashboardWords, type InsideDashboard, showInside } from './dashboard.ts';
import { readFlag } from './flag-value.ts';
import type { foregroundFlags } from './flags.ts';
import { createLog } from './log.ts';
import { report } from './report.ts';
import type { Terminal } from './terminal.ts';

type NoPositionals = Readonly<Record<never, never>>;

export type ForegroundFlags = Values<NoPositionals, typeof foregroundFlags>;

export interface Foreground {
  readonly spec: InstanceSpec;
  readonly reread?: Reread;
  readonly flags: ForegroundFlags;
  readonly terminal: Terminal;
  /** What the dashboard says beside what every dashboard says. */
  readonly words?: (instance: Controllable) => DashboardWords;
  readonly onReady?: (instance: Controllable) => void;
}

/** Resolves to the exit code once the instance has stopped. */
export async function runInForeground(foreground: Foreground): Promise<ExitCode> {
  const { spec, reread, flags, terminal, words, onReady } = foreground;
  const forMs = readFlag('--for', flags.for, parseDuration);
  const { logLevel = 'info' } = flags;
  const screen = showsDashboard(flags, terminal) ? terminal.screen : undefined;
  let dashboard: InsideDashboard | undefined;
  // What would spoil the dashboard is to be read in its log.
  const say = (line: string) => {
    if (!(dashboard?.isShown === true && terminal.saysOnScreen)) terminal.say(line);
  };
  const fail = (error: unknown) => {
    for (const line of report(error, terminal.err, logLevel === 'debug').lines) terminal.say(line);
    terminal.say('the dashboard is gone, and everything else goes on');
  };
  const { runInstance } = await import('../daemon/run.ts');
  try {
    return await runInstance({
      spec,
      ...(reread === undefined ? {} : { reread }),
      ...(forMs === undefined ? {} : { forMs }),
      log: createLog({
        level: logLevel,
        format: flags.logFormat ?? 'text',
        style: terminal.err,
        now: () => new Date(),
        write: say,
      }),
      ...(logLevel === 'debug' && { rememberedLevel: logLevel }),
      onReady(instance, control) {
        const { services } = instance.status();
        if (flags.json) terminal.print(JSON.stringify(readyEvent(services, control)));
        else if (logLevel !== 'silent') terminal.say(readyLine(services, control));
        onReady?.(instance);
        if (screen !== undefined) dashboard = showInside(instance, screen, words?.(instance) ?? {}, fail);
      },
    });
  } finally {
    await dashboard?.close();
  }
}

/** Whether a person is there who wants to see one. */
export function showsDashboard({ json, noTui }: ForegroundFlags, terminal: Terminal): boolean {
  return !json && !noTui && terminal.screen !== undefined;
}

function readyEvent(services: readonly ServiceView[], control: string) {
  return {
    event: 'ready',
    services: services.map(({ name, mode, listen, backends }) => ({ name, mode, listen, backends })),
    control,
  };
}

function readyLine(services: readonly ServiceView[], control: string): string {
  const list = services.map(
    ({ name, listen, backends }) => `${name} on ${listen} → ${plural(backends, 'backend')}`,
  );
  return `sluice: ready, ${list.join(', ')} (control ${control})`;
}
