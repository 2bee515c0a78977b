/**
 *                            ┌──▶ nginx
 *   wrk ──▶ sluice proxy ────┼──▶ nginx
 *                            └──▶ nginx  ✗ killed, and started again
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Listener } from '../support/listener.ts';
import { nginxOrigin } from '../support/nginx.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { wrk } from '../support/wrk.ts';
import { failures, failuresDuring, Inspector, until, urlOf } from './support.ts';

const connections = 48;
const newConnections = { connections, headers: { Connection: 'close' } };

function proxyTo(origins: readonly Listener[], ...flags: readonly string[]): Promise<Sluice> {
  const backends = origins.map(({ port }) => `127.0.0.1:${port}`);
  return sluice(['proxy', '127.0.0.1:0', ...backends, '--retries', '2', ...flags]);
}

/** With its workers, as a machine that loses power would. */
function killAtOnce({ pid }: Listener): void {
  process.kill(-pid, 'SIGKILL');
}

describe('a backend that is killed', { skip: missing('nginx', 'wrk') }, () => {
  it('takes no more requests with it than it had connections', async (t) => {
    await using one = await nginxOrigin();
    await using other = await nginxOrigin();
    await using victim = await nginxOrigin();
    await using proxy = await proxyTo([one, other, victim]);
    const inspector = new Inspector(proxy);
    const load = wrk(urlOf(proxy), { seconds: 4, connections });
    await inspector.untilFlows(connections);
    const { flows: inFlight } = await inspector.backend(victim.port);
    assert.ok(inFlight > 0);

    killAtOnce(victim);
    const answers = await load;
    t.diagnostic(`${failures(answers)} of ${answers.requests} requests failed, ${inFlight} were in flight`);
    assert.ok(answers.requests > 0);
    assert.ok(failures(answers) <= inFlight);
  });

  it('is missed by no connection that begins after its end, and back as soon as checks pass', async (t) => {
    await using one = await nginxOrigin();
    await using other = await nginxOrigin();
    await using victim = await nginxOrigin();
    await using proxy = await proxyTo([one, other, victim]);
    const inspector = new Inspector(proxy);
    const oneSecond = () => wrk(urlOf(proxy), { seconds: 1, ...newConnections });
    const failed = await failuresDuring(async () => {
      await until('it has its share', async () => (await inspector.backend(victim.port)).connections > 100);
      killAtOnce(victim);
      await until('it is down', async () => (await inspector.backend(victim.port)).state === 'down');
    }, oneSecond);
    t.diagnostic(`${failed} requests failed`);
    // Each connection of wrk may have been open to it at that moment, and none can fail twice.
    assert.ok(failed <= connections);
    assert.equal(failures(await oneSecond()), 0);

    await using _again = await nginxOrigin({ port: victim.port });
    const { connections: before } = await inspector.backend(victim.port);
    const failedLater = await failuresDuring(async () => {
      await until('it serves again', async () => {
        const { state, connections } = await inspector.backend(victim.port);
        return state === 'up' && connections > before;
      });
    }, oneSecond);
    assert.equal(failedLater, 0);
  });

  it('costs no new connection anything even before a check has found out', async () => {
    await using one = await nginxOrigin();
    await using other = await nginxOrigin();
    await using victim = await nginxOrigin();
    await using proxy = await proxyTo([one, other, victim], '--check-interval', '1h');
    const inspector = new Inspector(proxy);
    const { port } = victim;
    await until('it was checked', async () => (await inspector.backend(port)).health.last === 'ok');
    killAtOnce(victim);
    assert.equal((await inspector.backend(port)).state, 'up');
    assert.equal(failures(await wrk(urlOf(proxy), { seconds: 1, ...newConnections })), 0);
    assert.equal((await inspector.backend(port)).state, 'down');
    assert.ok((await inspector.backend(port)).failures > 0);
  });
});
