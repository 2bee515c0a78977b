/**
 * The machine as the readers see it: its files, its own tools, a packet queue on trial. Nothing here changes anything.
 * Tests have one in memory.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandRunner, type Run } from '../datapath/kernel/command.ts';

export interface Machine {
  readonly platform: string;
  /** The effective user of this process. */
  readonly uid: number;
  /** The text of a file; undefined if there is none, or if it may not be read. */
  read(path: string): string | undefined;
  /** Whether this process may open a file for writing. */
  canWrite(path: string): boolean;
  readonly run: Run;
  /** Opens a packet queue and gives it back; answers with the code of what went wrong (`ERR_NFQ_…`). */
  tryQueue(): Promise<string | undefined>;
  /** The same of a raw socket (`ERR_SOCKETS_…`). */
  tryRawSocket(): Promise<string | undefined>;
  pause(ms: number): Promise<void>;
}

/** The machine that this process runs on; `directory` is that of the instances. */
export function thisMachine(directory: string): Machine {
  return {
    platform: process.platform,
    uid: process.geteuid!(),
    read: (path) => otherwise(undefined, () => readFileSync(path, 'utf8')),
    canWrite: (path) =>
      otherwise(false, () => {
        // Opened, because access(2) leaves capabilities out of account.
        closeSync(openSync(path, 'r+'));
        return true;
      }),
    run: commandRunner(directory),
    tryQueue,
    tryRawSocket,
    pause: (ms) => sleep(ms),
  };
}

function otherwise<Value>(value: Value, attempt: () => Value): Value {
  try {
    return attempt();
  } catch {
    return value;
  }
}

async function tryQueue(): Promise<string | undefined> {
  const { findFreeQueues } = await import('../datapath/free-queues.ts');
  try {
    findFreeQueues(1);
    return undefined;
  } catch (error) {
    const { code = 'ERR_NFQ_SYSTEM' } = ((error as Error).cause ?? {}) as { code?: string };
    return code;
  }
}

async function tryRawSocket(): Promise<string | undefined> {
  const { RawSocket } = await import('node-linux-sockets');
  try {
    new RawSocket(4).close();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code ?? 'ERR_SOCKETS_SYSTEM';
  }
}
