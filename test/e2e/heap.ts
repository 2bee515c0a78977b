/**
 * The heap of a sluice that is asked to clean up first. It runs as its users run it, but with a module beside
 * it that answers SIGUSR2 with a line on stdout.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { entry, type Sluice } from '../support/sluice.ts';

const probe = `process.on('SIGUSR2', () => {
  gc();
  console.log(JSON.stringify({ event: 'heap', bytes: process.memoryUsage().heapUsed }));
});`;

/** What to start with `sluice(…, { command })`. */
export const command: readonly string[] = [
  process.execPath,
  '--expose-gc',
  '--import',
  `data:text/javascript,${encodeURIComponent(probe)}`,
  entry,
];

/** Bytes that are left after a full collection. */
export async function heapBytes(instance: Sluice): Promise<number> {
  const answers = () => instance.events().filter(({ event }) => event === 'heap');
  const { length } = answers();
  instance.kill('SIGUSR2');
  while (answers().length === length) await delay(10);
  const { bytes } = answers()[length]! as unknown as { readonly bytes: number };
  return bytes;
}
