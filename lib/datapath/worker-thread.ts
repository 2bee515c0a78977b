/** A worker thread as the main thread holds it. */
import { Worker } from 'node:worker_threads';
import { ExitCode, SluiceError } from '../model/errors.ts';
import type { Publication } from './publication.ts';
import type { WorkerData } from './worker.ts';

export interface WorkerThread {
  /** Resolves when it has ended: to the error that ended it, if it was one. */
  readonly ended: Promise<unknown>;
  /** Puts tables into its mailbox. */
  post(publication: Publication): void;
  /** Ends it wherever it is; resolves when it has. */
  terminate(): Promise<unknown>;
}

/** Resolves once the worker has its queue. Rejects with ERR_SLUICE_QUEUE if it cannot have it. */
export async function startWorker(workerData: WorkerData): Promise<WorkerThread> {
  // A thread needs a file that Node itself can read: the built one.
  const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData });
  const ended = new Promise<unknown>((resolve) => {
    worker.once('error', resolve).once('exit', () => resolve(undefined));
  });
  const isReady = await Promise.race([
    new Promise<true>((resolve) => worker.once('message', () => resolve(true))),
    ended.then(() => false),
  ]);
  if (!isReady) throw queueError(await ended);
  return {
    ended,
    post: (publication) => worker.postMessage(publication),
    terminate: () => worker.terminate(),
  };
}

/** Of an error that has crossed from another thread, only its own fields are sure to be there. */
function queueError(cause: unknown): SluiceError {
  const { code = '', message = 'the worker ended' } = (cause ?? {}) as { code?: string; message?: string };
  const missing = /^ERR_NFQ_(NOT_PERMITTED|UNSUPPORTED|NO_BINARY)$/.test(code);
  return new SluiceError('ERR_SLUICE_QUEUE', message, {
    exitCode: missing ? ExitCode.missing : ExitCode.failed,
    cause,
  });
}
