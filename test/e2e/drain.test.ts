/**
 *                             ┌──▶ nginx  stays
 *   wrk ──▶ sluice proxy ─────┤
 *                ▲            └──▶ nginx  is drained, and enabled again
 *   sluice drain ┘
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Listener } from '../support/listener.ts';
import { nginxOrigin } from '../support/nginx.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { wrk } from '../support/wrk.ts';
import { failures, failuresDuring, Inspector, until, urlOf } from './support.ts';

const connections = 32;

const addressOf = ({ port }: Listener) => `127.0.0.1:${port}`;

/** Has the command `drain` or `enable` change a backend of an instance. */
async function tell({ ready }: Sluice, command: 'drain' | 'enable', backend: Listener): Promise<void> {
  const words = [command, addressOf(backend), '--control', ready.control];
  const { code, stderr } = await runSluice(words);
  assert.equal(code, 0, stderr);
}

describe('a backend that is drained under load', { skip: missing('nginx', 'wrk') }, () => {
  it('fails no request, keeps no flow and gets none until it is enabled again', async () => {
    await using stays = await nginxOrigin();
    await using goes = await nginxOrigin();
    await using proxy = await sluice(['proxy', '127.0.0.1:0', addressOf(stays), addressOf(goes)]);
    const inspector = new Inspector(proxy);
    const placedAt = async ({ port }: Listener) => (await inspector.backend(port)).connections;
    const untilMore = async (backend: Listener) => {
      const before = await placedAt(backend);
      await until('it gets more', async () => (await placedAt(backend)) > before + 100);
    };

    const failed = await failuresDuring(
      async () => {
        await untilMore(goes);
        await tell(proxy, 'drain', goes);
        await until('its flows have ended', async () => (await inspector.backend(goes.port)).flows === 0);
        const drained = await inspector.backend(goes.port);
        assert.equal(drained.state, 'draining');
        await untilMore(stays);
        assert.equal(await placedAt(goes), drained.connections);

        await tell(proxy, 'enable', goes);
        await untilMore(goes);
      },
      () => wrk(urlOf(proxy), { seconds: 1, connections, headers: { Connection: 'close' } }),
    );
    assert.equal(failed, 0);
  });

  it('goes on serving the connections it has', async () => {
    await using stays = await nginxOrigin();
    await using goes = await nginxOrigin();
    await using proxy = await sluice(['proxy', '127.0.0.1:0', addressOf(stays), addressOf(goes)]);
    const inspector = new Inspector(proxy);
    const load = wrk(urlOf(proxy), { seconds: 3, connections });
    await inspector.untilFlows(connections);
    await inspector.control.patchBackend(undefined, addressOf(goes), { state: 'draining' });
    const { flows, bytesOut } = await inspector.backend(goes.port);
    assert.ok(flows > 0);
    await until('it serves them', async () => (await inspector.backend(goes.port)).bytesOut! > bytesOut!);
    assert.equal((await inspector.backend(goes.port)).flows, flows);
    assert.equal(failures(await load), 0);
    await inspector.untilFlows(0);
  });
});
