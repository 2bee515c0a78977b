/** Finds queues that nobody has: their numbers are common to all programs of a network namespace. */
import { Queue } from 'node-netfilter-queue';
import { ExitCode, SluiceError } from '../model/errors.ts';

/** Far from the numbers that people write by hand. */
const firstTried = 20_480;
const runsTried = 256;

/** The first of `count` consecutive queues that are free. Throws ERR_SLUICE_QUEUE, also if queues cannot be had at all. */
export function findFreeQueues(count: number): number {
  for (let run = 0; run < runsTried; run++) {
    const first = firstTried + run * count;
    if (Array.from({ length: count }, (_, worker) => first + worker).every(isFree)) return first;
  }
  throw new SluiceError('ERR_SLUICE_QUEUE', 'no packet queue is free', { exitCode: ExitCode.missing });
}

function isFree(number: number): boolean {
  try {
    new Queue(number, { batchSize: 1 }).close();
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_NFQ_BUSY') return false;
    const message = error instanceof Error ? error.message : String(error);
    throw new SluiceError('ERR_SLUICE_QUEUE', message, { exitCode: ExitCode.missing, cause: error });
  }
}
