/** The end of a balancer's tunnels as a process: signals, what it says while it runs, and the end of it all. */
import { runtimeDirectory } from '../control/path.ts';
import { ExitCode } from '../model/errors.ts';
import type { Log } from '../model/log.ts';
import type { TunnelEndSpec } from '../model/tunnel-end.ts';
import type { TunnelEndPlan } from '../tunnel-end/plan.ts';
import { TunnelEnd, type TunnelEndCounts } from '../tunnel-end/tunnel-end.ts';
import { onSignals } from './signals.ts';

export interface RunTunnelEndOptions {
  readonly spec: TunnelEndSpec;
  /** Stops by itself after so long. */
  readonly forMs?: number;
  readonly log: Log;
  /** Called once, when everything is in place. */
  readonly onReady: (plan: TunnelEndPlan) => void;
  /** Called at the end with what was counted, if it had come so far. */
  readonly onStopped: (counts: TunnelEndCounts) => void;
}

/** How often it is looked whether packets were dropped. */
const lookMs = 30_000;

/**
 * Ends tunnels until it is stopped, and puts the machine back. Resolves to the exit code; rejects with a SluiceError if
 * it cannot start, or go on.
 */
export async function runTunnelEnd(options: RunTunnelEndOptions): Promise<ExitCode> {
  const { spec, forMs, log, onReady, onStopped } = options;
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const forgetSignals = onSignals({
    stop: () => stopping.abort(),
    reload: () => log.warn('there is no configuration to read again'),
  });
  const end = new TunnelEnd(spec, { directory: runtimeDirectory(), log });
  const tell = teller(end, log);
  const timers: NodeJS.Timeout[] = [];
  try {
    await end.start();
    if (stopping.signal.aborted) return ExitCode.interrupted;
    onReady(end.plan!);
    if (forMs !== undefined) timers.push(setTimeout(() => stopping.abort(), forMs));
    // The kernel's devices need nobody, and this keeps the process alive.
    timers.push(setInterval(tell, lookMs));
    await Promise.race([stopped, end.serve().then(() => stopped)]);
    await end.counts().then(onStopped, (error: Error) => {
      log.warn('The rules’ counters could not be read', { error: error.message });
    });
    return ExitCode.fine;
  } finally {
    for (const timer of timers) clearTimeout(timer);
    forgetSignals();
    await end.stop();
  }
}

/** Tells of packets that were dropped since it was asked last. */
function teller(end: TunnelEnd, log: Log): () => void {
  let told: Readonly<Record<string, number>> = {};
  return () => {
    end.counts().then(
      ({ strangers, notForVip, own }) => {
        const drops = { strangers, notForVip, ...own?.dropped };
        const more = Object.entries(drops).filter(([reason, count]) => count > (told[reason] ?? 0));
        told = drops;
        for (const [reason, packets] of more) {
          if (reason === 'strangers') {
            log.warn('Tunnel packets were dropped because --from does not name their source', { packets });
          } else {
            log.warn('Tunnel packets were dropped', { reason, packets });
          }
        }
      },
      (error: Error) => log.debug('The rules’ counters could not be read', { error: error.message }),
    );
  };
}
