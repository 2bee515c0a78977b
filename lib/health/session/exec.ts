/** Asks a command of the user's own. It runs in a process group of its own, so that all of it can be ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { CheckSpec } from '../../model/spec.ts';
import { UnwellError } from '../reason.ts';
import type { Probe } from './probe.ts';

/**
 * Passes when the command exits with 0. Its output goes nowhere. What overstays its time is killed, together
 * with everything it started and did not put into another group.
 */
export function execProbe({ command }: Extract<CheckSpec, { type: 'exec' }>): Probe {
  return async ({ host, port, backendName }, signal) => {
    const shell = spawn('sh', ['-c', command], {
      detached: true,
      stdio: 'ignore',
      env: { ...process.env, SLUICE_HOST: host, SLUICE_PORT: String(port), SLUICE_BACKEND: backendName },
    });
    const killGroup = (): void => {
      try {
        if (shell.pid !== undefined) process.kill(-shell.pid, 'SIGKILL');
      } catch {
        // It runs as another user by now (sudo); its end is its own affair.
      }
    };
    signal.addEventListener('abort', killGroup, { once: true });
    try {
      const [exitCode, killedBy] = (await once(shell, 'exit')) as [number | null, NodeJS.Signals | null];
      if (killedBy !== null) throw new UnwellError(`killed by ${killedBy}`);
      if (exitCode !== 0) throw new UnwellError(`exit code ${exitCode}`);
    } finally {
      signal.removeEventListener('abort', killGroup);
    }
  };
}
