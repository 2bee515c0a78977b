/**
 *   wrk, HTTP clients ──▶ sluice proxy  ⏹ SIGTERM ──▶ nginx, a slow origin
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { nginxOrigin } from '../support/nginx.ts';
import { sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { wrk } from '../support/wrk.ts';
import { failures, Inspector, portOf, until, urlOf } from './support.ts';

/** No test takes so long: whoever waits for it has failed. */
const drain = ['--drain', '10m'];
const connections = 32;

/** Whether a new connection is turned away by the kernel: nobody listens any more. */
async function isRefused(port: number): Promise<boolean> {
  const client = connect({ port, host: '127.0.0.1' });
  try {
    await once(client, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    client.destroy();
  }
}

describe('SIGTERM under load', () => {
  it('lets connections go on to their end, and takes no new ones', {
    skip: missing('wrk', 'nginx'),
  }, async () => {
    await using origin = await nginxOrigin();
    await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${origin.port}`, ...drain]);
    const load = wrk(urlOf(proxy), { seconds: 4, connections });
    await new Inspector(proxy).untilFlows(connections);

    proxy.kill('SIGTERM');
    await until('it listens no more', () => isRefused(portOf(proxy)));
    const { requests, ...answers } = await load;
    assert.equal(failures({ requests, ...answers }), 0);
    assert.equal(await proxy.exited, 0);
  });

  it('lets every answer arrive that was asked for before', async () => {
    await using origin = createServer((_, response) => {
      setTimeout(() => response.setHeader('connection', 'close').end('late'), 1_000);
    }).listen(0, '127.0.0.1');
    await once(origin, 'listening');
    const { port } = origin.address() as AddressInfo;
    await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${port}`, ...drain]);
    const asked = Array.from({ length: 100 }, async () => (await fetch(urlOf(proxy))).text());
    await new Inspector(proxy).untilFlows(asked.length);

    proxy.kill('SIGTERM');
    assert.deepEqual(new Set(await Promise.all(asked)), new Set(['late']));
    assert.equal(await proxy.exited, 0);
  });

  it('ends what outlives the deadline', async () => {
    await using origin = await nginxOrigin();
    const args = ['127.0.0.1:0', `127.0.0.1:${origin.port}`, '--drain', '500ms'];
    await using proxy = await sluice(['proxy', ...args]);
    const client = connect({ port: portOf(proxy), host: '127.0.0.1' });
    await new Inspector(proxy).untilFlows(1);
    proxy.kill('SIGTERM');
    await once(client.resume(), 'end');
    assert.equal(await proxy.exited, 0);
  });

  it('sent twice ends everything at once', async () => {
    await using origin = await nginxOrigin();
    await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${origin.port}`, ...drain]);
    const client = connect({ port: portOf(proxy), host: '127.0.0.1' });
    await new Inspector(proxy).untilFlows(1);
    proxy.kill('SIGTERM');
    await until('it listens no more', () => isRefused(portOf(proxy)));
    await delay(100);
    assert.equal(client.closed, false);
    proxy.kill('SIGTERM');
    await once(client.resume(), 'end');
    assert.equal(await proxy.exited, 0);
  });
});
