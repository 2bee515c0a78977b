import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inside } from '../../../test/support/inside-netns.ts';
import { kernelCounters } from '../lib/index.ts';

const network = inside(import.meta.url, 'router', {
  links: [{ ends: { router: '10.1.0.1/24', peer: '10.1.0.2/24' } }],
});

const root = fileURLToPath(new URL('..', import.meta.url));

/** The code blocks of README.md in a language, from the first to the last. */
function blocks(language: string): string[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  return [...readme.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter((match) => match[1] === language)
    .map((match) => match[2]!);
}

/** Resolves when the ICMP error about a datagram to a port that nobody has comes back through the queue. */
async function provokeIcmp(): Promise<void> {
  const socket = createSocket('udp4');
  try {
    socket.connect(9, '127.0.0.1');
    await once(socket, 'connect');
    const refused = once(socket, 'error');
    socket.send('anybody?');
    const [error] = await refused;
    assert.equal(error.code, 'ECONNREFUSED');
  } finally {
    socket.close();
  }
}

/** Resolves when somebody owns queue 0. */
async function opened(): Promise<void> {
  while (kernelCounters(0) === undefined) await sleep(20);
}

if (network !== undefined) {
  // Within the package, so that its name means itself; it was built by `npm run build`.
  const folder = mkdtempSync(join(root, 'readme-'));
  const children: ChildProcess[] = [];
  after(() => {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  const start = (name: string, code: string): ChildProcess => {
    writeFileSync(join(folder, name), code);
    const child = spawn(process.execPath, [join(folder, name)], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    return child;
  };

  const [oneByOne, batches, main, worker] = blocks('js') as [string, string, string, string];
  network.host('router').run(blocks('sh')[0]!.replace('sudo ', ''));

  describe('what the README shows', () => {
    it('prints the packets one by one', async () => {
      const child = start('example.mjs', oneByOne);
      await opened();
      await provokeIcmp();
      await provokeIcmp();
      child.kill();
      assert.deepEqual((await text(child.stdout!)).split('\n'), [
        'queue 0 is open',
        'packet 1: 64 bytes, TTL 64, protocol 1',
        'packet 2: 64 bytes, TTL 64, protocol 1',
        '',
      ]);
    });

    it('lets batches pass', async () => {
      const child = start('batches.mjs', batches);
      await opened();
      await provokeIcmp();
      child.kill();
      assert.deepEqual(await once(child, 'exit'), [null, 'SIGTERM']);
    });

    it('runs on a worker thread until it is stopped', async () => {
      writeFileSync(join(folder, 'worker.mjs'), worker);
      const child = start('main.mjs', main);
      await opened();
      await provokeIcmp();
      child.kill('SIGINT');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
    });
  });
}
