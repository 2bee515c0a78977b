/** An instance as a process: signals, the control socket, the metrics listener, and the end of it all. */
import type { Controllable } from '../control/controllable.ts';
import { controlPath } from '../control/path.ts';
import { type ControlServer, type MetricsServer, serveControl, serveMetrics } from '../control/server.ts';
import { ExitCode } from '../model/errors.ts';
import type { Log, LogLevel } from '../model/log.ts';
import type { InstanceSpec } from '../model/spec.ts';
import { systemClock } from './clock.ts';
import type { OpenDatapaths } from './datapath.ts';
import { Instance, type Reread } from './instance.ts';
import { onSignals } from './signals.ts';

export interface RunOptions {
  readonly spec: InstanceSpec;
  /** Reads the configuration anew, for `reload` and SIGHUP; absent for a one-liner, which has none. */
  readonly reread?: Reread;
  /** Stops by itself, in order, after so long. */
  readonly forMs?: number;
  readonly log: Log;
  /** How severe a log entry has to be for the instance to remember it; `info` unless given. */
  readonly rememberedLevel?: LogLevel;
  /** Called once, when traffic is accepted. `control` is the path of the control socket. */
  readonly onReady: (instance: Controllable, control: string) => void;
}

/**
 * Runs an instance until it is stopped: binds, checks, serves, listens for signals and the control socket,
 * drains. Resolves to the exit code; rejects with a SluiceError if it cannot start.
 */
export async function runInstance({
  spec,
  reread,
  forMs,
  log,
  rememberedLevel,
  onReady,
}: RunOptions): Promise<ExitCode> {
  const instance = new Instance({
    spec,
    ...(reread === undefined ? {} : { reread }),
    surroundings: { clock: systemClock, random: Math.random, log },
    openDatapaths,
    ...(rememberedLevel === undefined ? {} : { rememberedLevel }),
  });
  const forgetSignals = onSignals({
    stop: () => (instance.draining ? instance.close() : instance.stop()),
    reload: () =>
      void instance
        .reload()
        .catch((error: Error) => instance.logger.error('reload refused', { error: error.message })),
  });
  const servers: (ControlServer | MetricsServer)[] = [];
  try {
    const control = await serveControl(spec.control ?? controlPath(spec.name), instance, log);
    servers.push(control);
    await Promise.race([instance.start(), instance.stopped]);
    if (spec.metrics !== undefined) servers.push(await serveMetrics(spec.metrics, instance, log));
    if (!instance.ready) return ExitCode.interrupted;
    onReady(instance, control.path);
    if (forMs !== undefined) systemClock.after(forMs, () => instance.stop());
    await instance.stopped;
    return ExitCode.fine;
  } finally {
    forgetSignals();
    instance.close();
    await instance.stopped;
    await Promise.all(servers.map((server) => server.close()));
  }
}

/** Loaded only where there is something for them: they bring native code and threads. */
const openDatapaths: OpenDatapaths = {
  async nat(settings, log) {
    const [{ natDatapath }, { overlapWithLocalPorts }] = await Promise.all([
      import('../datapath/open.ts'),
      import('../datapath/kernel/local-ports.ts'),
    ]);
    const local = settings.snatAddresses.length === 0 ? overlapWithLocalPorts(settings.snatPorts) : [];
    if (local.length > 0) {
      log.warn('connections of this machine may break: some of snat-ports are its own as well', {
        local: local.map((range) => range.join('-')).join(','),
        snatPorts: settings.snatPorts.join('-'),
      });
    }
    return natDatapath(settings, log, systemClock);
  },
  async dsr(settings, log) {
    const { dsrDatapath } = await import('../datapath/open.ts');
    return dsrDatapath(settings, log, systemClock);
  },
};
