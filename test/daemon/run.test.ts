import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { until } from '../proxy/socket/node-support.ts';
import { run, startServer } from '../support/child.ts';
import { freePort } from '../support/ports.ts';
import { scratch } from '../support/scratch.ts';
import { conversation, greeter, whoAnswers } from './support.ts';

const child = fileURLToPath(new URL('run-child.ts', import.meta.url));

/** A process with an instance in front of greeter a, and of greeter b after a reload. */
async function processOf(t: TestContext, forMs = '') {
  const [a, b] = [await greeter(t, 'a'), await greeter(t, 'b')];
  const port = await freePort();
  const directory = scratch();
  t.after(() => directory.remove());
  const control = join(directory.path, 'control.sock');
  const args = ['--import', 'tsx', child, control, `${port}`, `${a.port}`, `${b.port}`, forMs];
  const command = { program: process.execPath, args };
  const start = async () => {
    const server = await startServer(command, ({ stdout }) => until(() => stdout().includes('ready')));
    t.after(() => server.stop());
    return server;
  };
  return { a, b, port, control, command, start };
}

describe('an instance as a process', () => {
  it('reloads at SIGHUP, drains at SIGTERM, and exits with 0', async (t) => {
    const { a, b, port, control, start } = await processOf(t);
    const server = await start();
    assert.ok(existsSync(control));
    assert.equal(await whoAnswers(t, port), 'a');
    const { goesOn, client } = await conversation(t, port, a);

    server.kill('SIGHUP');
    await until(() => server.stdout().includes('reloaded'));
    assert.equal(await whoAnswers(t, port), 'b');
    await goesOn();

    server.kill('SIGTERM');
    let refused = false;
    while (!refused) refused = (await whoAnswers(t, port)) === 'ECONNREFUSED';
    await goesOn();
    assert.ok(!server.stdout().includes('ended'));
    client.reset();
    assert.equal(await server.exited, 0);
    assert.ok(server.stdout().endsWith('ended\n'));
    assert.ok(!existsSync(control));
    assert.ok(b.accepted.length > 0);
  });

  it('ends at once at a second SIGINT', async (t) => {
    const { a, port, start } = await processOf(t);
    const server = await start();
    const { ends, goesOn } = await conversation(t, port, a);
    server.kill('SIGINT');
    let refused = false;
    while (!refused) refused = (await whoAnswers(t, port)) === 'ECONNREFUSED';
    await goesOn();
    server.kill('SIGINT');
    await ends();
    assert.equal(await server.exited, 0);
  });

  it('stops by itself after as long as it was given', async (t) => {
    const { command } = await processOf(t, '50');
    const { code, stdout } = await run(command);
    assert.deepEqual([code, stdout], [0, 'ready\nended\n']);
  });
});
