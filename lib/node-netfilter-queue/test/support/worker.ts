/** Worker threads whose entry is TypeScript: the loader that runs the tests does not reach into them by itself. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Runs a file of `test/fixtures` as a worker; resolves at its first message, by which its queue is open. */
export async function startWorker(fixture: string, workerData: object): Promise<Worker> {
  const file = new URL(`../fixtures/${fixture}`, import.meta.url);
  const bootstrap = `import('tsx/esm/api').then(({ tsImport }) => tsImport('${file}', '${import.meta.url}'))`;
  const worker = new Worker(bootstrap, { eval: true, workerData });
  await once(worker, 'message');
  return worker;
}
