/**
 *   clients that break off with a RST ──▶ sluice proxy ──▶ backend that sends and reads
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { descriptors } from '../support/proc.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { command, heapBytes } from './heap.ts';
import { Inspector, portOf, settled, until } from './support.ts';

const clients = 6_000;
const atOnce = 50;

/** Half of what it takes to keep each flow (some 400 bytes, seen by keeping them). */
const mostHeapBytes = 200 * clients;

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

/** Connects, misbehaves and resolves when it is over, whatever the client was told. */
function misbehave(proxy: Sluice, index: number): Promise<void> {
  return new Promise((resolve) => {
    const client = connect({ port: portOf(proxy), host: '127.0.0.1', allowHalfOpen: true });
    client.once('connect', () => manners[index % manners.length]!(client));
    client.on('error', () => undefined).once('close', () => resolve());
  });
}

describe('clients that break off with a RST', () => {
  it('leave no flow, no descriptor and no memory behind, and the backend is not blamed', async (t) => {
    const server = createServer((socket) => {
      socket
        .on('error', () => undefined)
        .resume()
        .write(bulk);
      // What a failure leaves open must not keep the test from ending.
      socket.unref();
    });
    server.listen(0, '127.0.0.1').unref();
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const args = ['127.0.0.1:0', `127.0.0.1:${port}`, '--check', 'none'];
    await using proxy = await sluice(['proxy', ...args], { command });
    const inspector = new Inspector(proxy);
    const someAtOnce = (count: number) => {
      let next = 0;
      const one = async () => {
        while (next < count) await misbehave(proxy, next++);
      };
      return Promise.all(Array.from({ length: atOnce }, one));
    };
    await someAtOnce(clients);
    await inspector.untilFlows(0);
    const descriptorsBefore = await settled(() => descriptors(proxy.pid));
    const bytesBefore = await heapBytes(proxy);

    await someAtOnce(clients);
    await inspector.untilFlows(0);
    await until('all descriptors are closed', () => descriptors(proxy.pid) === descriptorsBefore);
    const grownBytes = (await heapBytes(proxy)) - bytesBefore;
    t.diagnostic(`${clients} clients: heap ${grownBytes} B`);
    assert.ok(grownBytes <= mostHeapBytes, `the heap has grown by ${grownBytes} bytes`);
    const { state, failures } = await inspector.backend(port);
    assert.deepEqual({ state, failures }, { state: 'up', failures: 0 });
    const open = await new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
    assert.equal(open, 0);
  });
});
