/**
 *   wrk ──────────────▶ sluice proxy ──▶ nginx
 *   wrk ──▶ haproxy ──▶ sluice proxy ──▶ nginx
 *   iperf3 ◀──────────▶ sluice proxy ◀─▶ iperf3 --server
 *   dnsperf ──────────▶ sluice proxy ──▶ knotd
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dnsperf, knot } from '../support/dns.ts';
import { haproxy } from '../support/haproxy.ts';
import { iperf3, iperf3Server } from '../support/iperf3.ts';
import { nginxOrigin } from '../support/nginx.ts';
import { sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { wrk } from '../support/wrk.ts';
import { failures, Inspector, portOf, urlOf } from './support.ts';

describe('sluice proxy under a load', () => {
  for (const [what, headers] of [
    ['that keeps its connections', {}],
    ['of new connections', { Connection: 'close' }],
  ] as const) {
    it(`of HTTP ${what} fails no request`, { skip: missing('wrk', 'nginx') }, async (t) => {
      await using origin = await nginxOrigin();
      await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${origin.port}`]);
      const answers = await wrk(urlOf(proxy), { seconds: 3, headers });
      t.diagnostic(`${answers.requests} requests`);
      assert.ok(answers.requests > 0);
      assert.equal(failures(answers), 0);
      await new Inspector(proxy).untilFlows(0);
    });
  }

  it('of HTTP behind HAProxy fails no request', { skip: missing('wrk', 'nginx', 'haproxy') }, async () => {
    await using origin = await nginxOrigin();
    await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${origin.port}`]);
    await using front = await haproxy({ backend: portOf(proxy) });
    const headers = { Connection: 'close' };
    const answers = await wrk(`http://127.0.0.1:${front.port}/`, { seconds: 2, headers });
    assert.ok(answers.requests > 0);
    assert.equal(failures(answers), 0);
  });

  for (const [direction, reverse] of [
    ['client to backend', false],
    ['backend to client', true],
  ] as const) {
    it(`of bulk, ${direction}, counts every byte of it`, { skip: missing('iperf3') }, async (t) => {
      await using server = await iperf3Server();
      // The server takes one client at a time, and a check is one.
      const args = ['127.0.0.1:0', `127.0.0.1:${server.port}`, '--check', 'none'];
      await using proxy = await sluice(['proxy', ...args]);
      const { bytes, gigabitsPerSecond } = await iperf3({ port: portOf(proxy), seconds: 2, reverse });
      t.diagnostic(`${gigabitsPerSecond.toFixed(1)} Gbit/s`);
      const { bytesIn, bytesOut } = await new Inspector(proxy).service();
      assert.ok(bytes > 0);
      assert.ok((reverse ? bytesOut! : bytesIn) >= bytes);
    });
  }

  it('of DNS loses no question', { skip: missing('dnsperf', 'knotd') }, async (t) => {
    await using server = await knot();
    await using proxy = await sluice(['proxy', 'udp://127.0.0.1:0', `127.0.0.1:${server.port}`]);
    const { sent, completed, lost } = await dnsperf({ port: portOf(proxy), seconds: 3 });
    t.diagnostic(`${completed} answers`);
    assert.ok(sent > 0);
    assert.deepEqual({ completed, lost }, { completed: sent, lost: 0 });
    const { dropped } = await new Inspector(proxy).service();
    assert.deepEqual(
      Object.values(dropped).filter((count) => count > 0),
      [],
    );
  });
});
