/**
 *   wrk ──────▶ sluice proxy ──▶ nginx      100,000 connections, one request each
 *   dnsperf ──▶ sluice proxy ──▶ knotd      100,000 sessions, one question each
 */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { dnsperf, knot } from '../support/dns.ts';
import { nginxOrigin } from '../support/nginx.ts';
import { descriptors, residentKiB } from '../support/proc.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { wrk } from '../support/wrk.ts';
import { command, heapBytes } from './heap.ts';
import { failures, Inspector, portOf, settled, until, urlOf } from './support.ts';

const flows = 100_000;

/** After so many, code is compiled and buffers are kept for reuse: only what leaks grows on. */
const warmUp = 10_000;

/** The smallest object for each flow would be more. */
const mostHeapBytes = 16 * flows;

/** The kernel gives memory back when it likes. */
const mostResidentKiB = 32 * 1_024;

/** Has `load` make flows, round after round, and compares what the process holds before and after. */
async function soak(t: TestContext, proxy: Sluice, load: () => Promise<void>): Promise<void> {
  const inspector = new Inspector(proxy);
  const placed = async () => (await inspector.service()).connections;
  const loadUntil = async (count: number) => {
    while ((await placed()) < count) await load();
    await inspector.untilFlows(0);
  };
  await loadUntil(warmUp);
  const before = {
    flows: await placed(),
    descriptors: await settled(() => descriptors(proxy.pid)),
    heapBytes: await heapBytes(proxy),
    residentKiB: residentKiB(proxy.pid),
  };
  await loadUntil(before.flows + flows);
  await until('all descriptors are closed', () => descriptors(proxy.pid) === before.descriptors);
  const heapGrownBytes = (await heapBytes(proxy)) - before.heapBytes;
  const residentGrownKiB = residentKiB(proxy.pid) - before.residentKiB;
  t.diagnostic(
    `${(await placed()) - before.flows} flows: heap ${heapGrownBytes} B, resident ${residentGrownKiB} KiB`,
  );
  assert.ok(heapGrownBytes <= mostHeapBytes, `the heap has grown by ${heapGrownBytes} bytes`);
  assert.ok(residentGrownKiB <= mostResidentKiB, `memory has grown by ${residentGrownKiB} KiB`);
}

describe(`after ${flows} short flows`, () => {
  it('of TCP nothing is left', { skip: missing('wrk', 'nginx') }, async (t) => {
    await using origin = await nginxOrigin();
    const args = ['127.0.0.1:0', `127.0.0.1:${origin.port}`, '--check', 'none'];
    await using proxy = await sluice(['proxy', ...args], { command });
    const headers = { Connection: 'close' };
    await soak(t, proxy, async () => {
      assert.equal(failures(await wrk(urlOf(proxy), { seconds: 2, headers })), 0);
    });
  });

  it('of UDP nothing is left', { skip: missing('dnsperf', 'knotd') }, async (t) => {
    await using server = await knot();
    const args = ['udp://127.0.0.1:0', `127.0.0.1:${server.port}`, '--udp-answers', '1'];
    await using proxy = await sluice(['proxy', ...args], { command });
    await soak(t, proxy, async () => {
      const { lost } = await dnsperf({ port: portOf(proxy), seconds: 2, clients: 200 });
      assert.equal(lost, 0);
    });
  });
});

describe('UDP sessions that fall silent', { skip: missing('dnsperf', 'knotd') }, () => {
  it('end by themselves and give their descriptors back', async () => {
    // More questions at once than these overrun the receive buffer of knot, which loses them.
    const clients = 100;
    await using server = await knot();
    const args = ['udp://127.0.0.1:0', `127.0.0.1:${server.port}`, '--udp-idle-timeout', '3s'];
    await using proxy = await sluice(['proxy', ...args]);
    const inspector = new Inspector(proxy);
    await inspector.untilFlows(0);
    const before = await settled(() => descriptors(proxy.pid));
    const load = dnsperf({ port: portOf(proxy), seconds: 2, clients, outstanding: clients });
    await inspector.untilFlows(clients);
    assert.ok(descriptors(proxy.pid) >= before + clients);
    assert.equal((await load).lost, 0);
    await inspector.untilFlows(0);
    await until('all descriptors are closed', () => descriptors(proxy.pid) === before);
  });
});
