/** Runs an instance in this process, as `proxy`, `up` and `demo` do, and says when it is ready. */
import type { Controllable } from '../control/controllable.ts';
import type { Reread } from '../daemon/instance.ts';
import { parseDuration } from '../model/duration.ts';
import type { ExitCode } from '../model/errors.ts';
import type { InstanceSpec } from '../model/spec.ts';
import { plural } from '../model/units.ts';
import type { ServiceView } from '../model/view.ts';
import type { Values } from './command.ts';
import { readFlag } from './flag-value.ts';
import type { foregroundFlags } from './flags.ts';
import { createLog } from './log.ts';
import type { Terminal } from './terminal.ts';

type NoPositionals = Readonly<Record<never, never>>;

export type ForegroundFlags = Values<NoPositionals, typeof foregroundFlags>;

export interface Foreground {
  readonly spec: InstanceSpec;
  readonly reread?: Reread;
  readonly flags: ForegroundFlags;
  readonly terminal: Terminal;
  /** Where log lines go, and nothing is said of being ready; the terminal's messages when absent. */
  readonly writeLog?: (line: string) => void;
  readonly onReady?: (instance: Controllable) => void;
}

/** Resolves to the exit code once the instance has stopped. */
export async function runInForeground(foreground: Foreground): Promise<ExitCode> {
  const { spec, reread, flags, terminal, writeLog, onReady } = foreground;
  const forMs = readFlag('--for', flags.for, parseDuration);
  const { runInstance } = await import('../daemon/run.ts');
  return runInstance({
    spec,
    ...(reread === undefined ? {} : { reread }),
    ...(forMs === undefined ? {} : { forMs }),
    log: createLog({
      level: flags.logLevel ?? 'info',
      format: flags.logFormat ?? 'text',
      style: terminal.err,
      now: () => new Date(),
      write: writeLog ?? terminal.say,
    }),
    onReady(instance, control) {
      const { services } = instance.status();
      if (flags.json) terminal.print(JSON.stringify(readyEvent(services, control)));
      else if (writeLog === undefined && flags.logLevel !== 'silent')
        terminal.say(readyLine(services, control));
      onReady?.(instance);
    },
  });
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
