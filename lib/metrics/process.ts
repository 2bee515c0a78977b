/** What the operating system says of this process, in the words that every Prometheus client uses. */
import { readdir, readFile } from 'node:fs/promises';

export interface ProcessReading {
  readonly residentMemoryBytes: number;
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  /** Of the main thread: time in which its event loop did not wait. */
  readonly eventLoopBusySeconds: number;
  /** Since the Unix epoch. */
  readonly startTimeSeconds: number;
  /** These two are undefined where there is no /proc. */
  readonly openFds: number | undefined;
  readonly maxFds: number | undefined;
}

export async function readProcess(): Promise<ProcessReading> {
  const cpuMicroseconds = process.cpuUsage();
  const [openFds, maxFds] = await Promise.all([countOpenFds(), readMaxFds()]);
  return {
    residentMemoryBytes: process.memoryUsage.rss(),
    cpuSeconds: (cpuMicroseconds.user + cpuMicroseconds.system) / 1e6,
    eventLoopBusySeconds: performance.eventLoopUtilization().active / 1e3,
    startTimeSeconds: performance.timeOrigin / 1e3,
    openFds,
    maxFds,
  };
}

async function countOpenFds(): Promise<number | undefined> {
  const names = await readdir('/proc/self/fd').catch(() => undefined);
  // One of them was open only to read the others.
  return names && names.length - 1;
}

/** The soft limit: the one that makes `accept` fail. */
async function readMaxFds(): Promise<number | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  return soft === undefined ? undefined : Number(soft);
}
