import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resolveHosts } from '../../lib/daemon/resolve.ts';
import { ExitCode, SluiceError } from '../../lib/model/errors.ts';
import { instanceSpec, service, to } from './support.ts';

function specFor(...hosts: readonly string[]) {
  const backends = hosts.map((host, i) => ({ ...to(80, `b${i}`), host }));
  return instanceSpec(service('web', backends, { listen: [{ protocol: 'tcp', host: '', port: 80 }] }));
}

describe('the addresses behind the names of a specification', () => {
  it('are the names themselves where these are addresses, or every address', async () => {
    const addresses = await resolveHosts(specFor('192.0.2.1', '2001:db8::1'));
    assert.deepEqual(['192.0.2.1', '2001:db8::1', ''].map(addresses), ['192.0.2.1', '2001:db8::1', '']);
  });

  it('are looked up for listeners and backends, IPv4 first', async () => {
    const spec = specFor('localhost');
    const listen = [{ protocol: 'tcp', host: 'localhost', port: 80 }] as const;
    for (const each of [spec, instanceSpec(service('web', [], { listen }))]) {
      assert.equal((await resolveHosts(each))('localhost'), '127.0.0.1');
    }
  });

  it('are refused where there is none, by name', async () => {
    await assert.rejects(
      resolveHosts(specFor('192.0.2.1', 'nowhere.invalid')),
      (error) =>
        error instanceof SluiceError &&
        error.code === 'ERR_SLUICE_UNRESOLVED' &&
        error.exitCode === ExitCode.failed &&
        error.message.includes('"nowhere.invalid"'),
    );
  });
});
