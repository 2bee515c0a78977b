/**
 *                         ┌──▶ nginx  stays
 *   wrk ──▶ sluice up ────┼──▶ nginx  comes, changes its weight and goes
 *              ▲          └──▶ nginx  comes and goes
 *   edge.yaml ─┘ changes
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Listener } from '../support/listener.ts';
import { nginxOrigin } from '../support/nginx.ts';
import { type Scratch, scratch } from '../support/scratch.ts';
import { runSluice, type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { wrk } from '../support/wrk.ts';
import { failures, failuresDuring, Inspector, until, urlOf } from './support.ts';

const connections = 24;

/** Writes the configuration, with a weight for each backend, and says where it lies. */
function configure(directory: Scratch, backends: readonly (readonly [Listener, number])[]): string {
  const list = backends.map(([{ port }, weight]) => `      - 127.0.0.1:${port}=${weight}\n`).join('');
  return directory.write(
    'edge.yaml',
    `name: edge
drain: 10m
services:
  - name: web
    listen: 127.0.0.1:0
    backends:
${list}`,
  );
}

async function bySignal(edge: Sluice): Promise<void> {
  edge.kill('SIGHUP');
}

async function byCommand({ ready }: Sluice): Promise<void> {
  const { code, stderr } = await runSluice(['reload', '--control', ready.control]);
  assert.equal(code, 0, stderr);
}

describe('a configuration that is reloaded under load', { skip: missing('nginx', 'wrk') }, () => {
  for (const [how, rounds, reload] of [
    ['SIGHUP', 3, bySignal],
    ['sluice reload', 1, byCommand],
  ] as const) {
    it(`by ${how} fails no request, whatever becomes of the backends`, async () => {
      await using stays = await nginxOrigin();
      await using one = await nginxOrigin();
      await using other = await nginxOrigin();
      const directory = scratch();
      await using edge = await sluice(['up', '-f', configure(directory, [[stays, 1]])]);
      const inspector = new Inspector(edge);
      const untilHas = async ({ port }: Listener, weight: number) => {
        await until('it has come', async () => (await inspector.findBackend(port))?.weight === weight);
        const { connections: before } = await inspector.backend(port);
        await until('it serves', async () => (await inspector.backend(port)).connections > before);
      };
      const untilGone = ({ port }: Listener) =>
        until('it has gone', async () => (await inspector.findBackend(port)) === undefined);

      const failed = await failuresDuring(
        async () => {
          for (let round = 0; round < rounds; round++) {
            configure(directory, [
              [stays, 1],
              [one, 1],
            ]);
            await reload(edge);
            await untilHas(one, 1);
            configure(directory, [
              [one, 5],
              [other, 2],
              [stays, 1],
            ]);
            await reload(edge);
            await untilHas(other, 2);
            await untilHas(one, 5);
            configure(directory, [[stays, 1]]);
            await reload(edge);
            await untilGone(one);
            await untilGone(other);
          }
        },
        () => wrk(urlOf(edge), { seconds: 1, connections, headers: { Connection: 'close' } }),
      );
      assert.equal(failed, 0);
      directory.remove();
    });
  }

  it('leaves the connections of a backend that it removes alone', async () => {
    await using stays = await nginxOrigin();
    await using goes = await nginxOrigin();
    const directory = scratch();
    const file = configure(directory, [
      [stays, 1],
      [goes, 1],
    ]);
    await using edge = await sluice(['up', '-f', file]);
    const inspector = new Inspector(edge);
    const load = wrk(urlOf(edge), { seconds: 3, connections });
    await inspector.untilFlows(connections);
    configure(directory, [[stays, 1]]);
    await inspector.control.reload();
    const { flows, bytesOut } = await inspector.backend(goes.port);
    assert.ok(flows > 0);
    await until('it serves them', async () => (await inspector.backend(goes.port)).bytesOut! > bytesOut!);
    assert.equal((await inspector.backend(goes.port)).flows, flows);
    assert.equal(failures(await load), 0);
    await until('it has gone', async () => (await inspector.findBackend(goes.port)) === undefined);
    directory.remove();
  });
});
