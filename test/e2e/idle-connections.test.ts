/**
 *                             5,000
 *                         ┌──────────▶ sluice proxy ──┐
 *   10,000 idle clients ──┤                           ├──▶ nginx
 *                         └──────────▶ sluice proxy ──┘
 *                             5,000
 *
 * A proxied connection takes two descriptors; where a process may have more than 20,000, one proxy holds them all.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import type { Listener } from '../support/listener.ts';
import { nginxOrigin } from '../support/nginx.ts';
import { descriptors, residentKiB } from '../support/proc.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { Inspector, portOf, settled, until } from './support.ts';

const connections = 10_000;
const mostBytesEach = 25_000;

/** How many connect or ask at a time. */
const atOnce = 250;

const question = 'GET / HTTP/1.1\r\nHost: origin\r\n\r\n';

/** Descriptors that this process, and so each of its children, may have. */
const limit = Number(/^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);

/** Whether a process may open so many, and a few besides. */
const mayOpen = (count: number) => count + 200 < limit;

const skip =
  missing('nginx') || (!mayOpen(connections) && `needs more descriptors: ulimit -Hn is ${limit}, not 20200`);

const proxyCount = mayOpen(2 * connections) ? 1 : 2;

async function open(port: number): Promise<Socket> {
  const client = connect({ port, host: '127.0.0.1' });
  await once(client, 'connect');
  return client;
}

/** An answer is short: it comes in one piece. */
async function ask(client: Socket): Promise<void> {
  client.write(question);
  const [answer] = (await once(client, 'data')) as [Buffer];
  assert.match(answer.toString('latin1'), /^HTTP\/1.1 200 OK\r\n.*hello\n$/s);
}

/** Applies an action to each, a few at a time. */
async function each<From, To>(list: readonly From[], action: (one: From) => Promise<To>): Promise<To[]> {
  const results: To[] = [];
  for (let start = 0; start < list.length; start += atOnce) {
    results.push(...(await Promise.all(list.slice(start, start + atOnce).map(action))));
  }
  return results;
}

describe(`${connections} idle connections`, { skip }, () => {
  let origin: Listener;
  let proxies: readonly Sluice[];

  before(async () => {
    origin = await nginxOrigin();
    const args = ['proxy', '127.0.0.1:0', `127.0.0.1:${origin.port}`];
    proxies = await Promise.all(Array.from({ length: proxyCount }, () => sluice(args)));
  });

  after(() => Promise.all([...proxies, origin].map((server) => server.stop())));

  const residentBytes = () => proxies.reduce((sum, { pid }) => sum + residentKiB(pid) * 1_024, 0);
  const openDescriptors = () => proxies.reduce((sum, { pid }) => sum + descriptors(pid), 0);

  it(`take ${mostBytesEach} bytes of resident memory each at most, and leave no descriptor`, async (t) => {
    const inspectors = proxies.map((proxy) => new Inspector(proxy));
    for (const inspector of inspectors) await inspector.untilFlows(0);
    const bytesBefore = residentBytes();
    const descriptorsBefore = await settled(openDescriptors);

    const ports = proxies.flatMap((proxy) => Array(connections / proxyCount).fill(portOf(proxy)));
    const clients = await each(ports, open);
    await each(clients, ask);
    const bytesEach = (residentBytes() - bytesBefore) / connections;
    t.diagnostic(`${Math.round(bytesEach)} bytes each, ${proxies.length} proxies`);
    assert.ok(bytesEach <= mostBytesEach, `${bytesEach} bytes each`);

    const flows = await Promise.all(inspectors.map(async (inspector) => (await inspector.service()).flows));
    assert.equal(
      flows.reduce((sum, count) => sum + count, 0),
      connections,
    );
    await each(clients, ask);

    for (const client of clients) client.destroy();
    for (const inspector of inspectors) await inspector.untilFlows(0);
    await until('all descriptors are closed', () => openDescriptors() === descriptorsBefore);
  });
});
