/**
 *   fetch ──▶ sluice proxy ──▶ nginx
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { nginxOrigin } from '../support/nginx.ts';
import { type Sluice, sluice } from '../support/sluice.ts';
import { missing } from '../support/tools.ts';
import { until, urlOf } from './support.ts';

/** On a connection of its own, which a stop need not wait for. */
function ask(proxy: Sluice): Promise<Response> {
  return fetch(urlOf(proxy), { headers: { connection: 'close' } });
}

describe('sluice proxy', { skip: missing('nginx') }, () => {
  it('answers the first request after it has said that it is ready, and stops with exit code 0', async () => {
    await using origin = await nginxOrigin({ body: 'the origin' });
    await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${origin.port}`]);
    assert.equal(await (await ask(proxy)).text(), 'the origin');
    proxy.kill('SIGTERM');
    assert.equal(await proxy.exited, 0);
  });

  it('serves when a backend is not there yet, and finds it when it comes', async () => {
    await using origin = await nginxOrigin({ body: 'the origin' });
    const late = origin.port;
    await origin.stop();
    await using proxy = await sluice(['proxy', '127.0.0.1:0', `127.0.0.1:${late}`]);
    await assert.rejects(ask(proxy));
    await using _come = await nginxOrigin({ body: 'here I am', port: late });
    await until('it is found', () =>
      ask(proxy).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  });
});
