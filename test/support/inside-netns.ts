/**
 * Lets a test file run inside a network of its own, for what has to be tested in the test's own process: a
 * socket, a queue. Outside, the file is one test that makes the network and runs the file again on one of
 * its hosts; there it holds the tests proper.
 *
 *     const network = inside(import.meta.url, 'router', { links: […] });
 *     if (network !== undefined) describe('a queue', () => { … });
 */

import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createNetwork, findNetwork, type Network, type NetworkSpec, namespaceObstacle } from './netns.ts';

const usualTimeoutMs = 180_000;

/** Set inside: the process that made the network. */
const ownerVariable = 'NFQT_OWNER';

/** `timeoutMs` is for all tests of the file together. */
export function inside(
  file: string,
  hostName: string,
  spec: NetworkSpec,
  timeoutMs = usualTimeoutMs,
): Network | undefined {
  const owner = process.env[ownerVariable];
  if (owner !== undefined) {
    return findNetwork(Number(owner), [...new Set(spec.links.flatMap((link) => Object.keys(link.ends)))]);
  }
  test(`in a network, on ${hostName}`, { skip: namespaceObstacle(), timeout: timeoutMs }, async (t) => {
    const network = createNetwork(spec);
    try {
      const { code, output } = await runThere(network, hostName, file, t.signal);
      if (code !== 0) throw new Error(`${hostName} exited with ${code}\n${output}`);
    } finally {
      network.remove();
    }
  });
  return undefined;
}

async function runThere(
  network: Network,
  hostName: string,
  file: string,
  signal: AbortSignal,
): Promise<{ code: number | null; output: string }> {
  const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
  const child = network.host(hostName).spawn(process.execPath, [...process.execArgv, fileURLToPath(file)], {
    env: { ...environment, [ownerVariable]: String(process.pid) },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  return { code, output };
}
