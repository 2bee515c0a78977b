/**
 *   clients that break off with a RST ──▶ sluice proxy ──▶ backend that sends and reads
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { descriptors, residentKiB } from '../support/proc.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { Inspector, portOf, until } from './support.ts';

const clients = 2_000;
const atOnce = 50;

const bulk = Buffer.alloc(256 * 1_024);

/** Ways to behave badly, each given a connection that has just been made. */
const manners: readonly ((client: Socket) => unknown)[] = [
  // At once, before the proxy has accepted.
  (client) => client.resetAndDestroy(),
  // While its bytes are on their way to the backend.
  (client) => client.write(bulk, () => client.resetAndDestroy()),
  // While the backend's are on their way to it.
  (client) => client.once('data', () => client.resetAndDestroy()),
  // With bytes that it has not read.
  (client) => client.pause().once('readable', () => client.resetAndDestroy()),
  // After its FIN.
  (client) => client.end('bye', () => client.resetAndDestroy()),
];

async function misbehave(proxy: Sluice, index: number): Promise<void> {
  const client = connect({ port: portOf(proxy), host: '127.0.0.1', allowHalfOpen: true });
  client.on('error', () => undefined);
  const closed = once(client, 'close');
  await once(client, 'connect');
  manners[index % manners.length]!(client);
  await closed;
}

describe('clients that break off with a RST', () => {
  it('leave no flow, no descriptor and no memory behind, and the backend is not blamed', async (t) => {
    const server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .resume()
        .write(bulk);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${port}`, '--check', 'none']);
    const inspector = new Inspector(proxy);
    const someAtOnce = (count: number) => {
      let next = 0;
      const one = async () => {
        while (next < count) await misbehave(proxy, next++);
      };
      return Promise.all(Array.from({ length: atOnce }, one));
    };
    await someAtOnce(clients / 10);
    await inspector.untilFlows(0);
    const descriptorsBefore = descriptors(proxy.pid);
    const beforeKiB = residentKiB(proxy.pid);

    await someAtOnce(clients);
    await inspector.untilFlows(0);
    await until('all descriptors are closed', () => descriptors(proxy.pid) === descriptorsBefore);
    const grownKiB = residentKiB(proxy.pid) - beforeKiB;
    t.diagnostic(`${clients} clients, ${grownKiB} KiB`);
    assert.ok(grownKiB < 64 * 1_024);
    const { state, failures } = await inspector.backend(port);
    assert.deepEqual({ state, failures }, { state: 'up', failures: 0 });
    const open = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    assert.equal(open, 0);
    server.close();
  });
});
