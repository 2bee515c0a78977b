/** Worker threads whose entry is TypeScript: the loader that runs the tests does not reach into them by itself. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Runs a file as a worker; resolves at its first message, by which it is under way. */
export async function startWorker(file: URL, workerData: object): Promise<Worker> {
  const bootstrap = `import('tsx/esm/api').then(({ tsImport }) => tsImport('${file}', '${import.meta.url}'))`;
  const worker = new Worker(bootstrap, { eval: true, workerData });
  await once(worker, 'message');
  return worker;
}
