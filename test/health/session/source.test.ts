/** Probes that come from where they are told to, and leave nothing behind there. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { fromLentSource } from '../../../lib/health/session/lent-source.ts';
import { ask, type Probe } from '../../../lib/health/session/probe.ts';
import { probeFor } from '../../../lib/health/session/probe-for.ts';
import { type CheckSpec, defaultCheckTiming } from '../../../lib/model/spec.ts';
import { closedPort, host, serve, unwell, well } from './loopback.ts';

/** Nobody else of this machine has it. */
const address = '127.77.0.1';

const checks: readonly CheckSpec[] = [
  { ...defaultCheckTiming, type: 'tcp' },
  { ...defaultCheckTiming, type: 'http', tls: false, path: '/', status: [200, 200] },
  { ...defaultCheckTiming, type: 'http', tls: false, path: '/', status: [200, 200], body: 'well' },
  { ...defaultCheckTiming, type: 'expect', expect: 'well' },
];

/** Says that it is well in all of their languages, and notes who asks. */
async function backend(t: TestContext, clients: string[]): Promise<number> {
  return serve(t, (socket) => {
    clients.push(`${socket.remoteAddress}:${socket.remotePort}`);
    socket.resume().write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nwell');
  });
}

describe('a probe with a source', () => {
  for (const check of checks) {
    it(`comes from there again and again: ${JSON.stringify(check)}`, async (t) => {
      const clients: string[] = [];
      const port = await backend(t, clients);
      const probe = probeFor(check)!;
      const target = { host, port, backendName: 'web-1', source: { address, port: await closedPort() } };
      for (let turn = 0; turn < 20; turn++) {
        assert.deepEqual(await ask(probe, target, AbortSignal.timeout(60_000)), well);
      }
      assert.deepEqual(new Set(clients), new Set([`${address}:${target.source.port}`]));
    });
  }

  it('comes from there with datagrams', async (t) => {
    const socket = createSocket('udp4').bind(0, host);
    socket.on('message', (_message, from) => {
      socket.send(`${from.address}:${from.port}`, from.port, from.address);
    });
    t.after(() => socket.close());
    await once(socket, 'listening');
    const source = { address, port: await closedPort() };
    const probe = probeFor({
      ...defaultCheckTiming,
      type: 'udp',
      send: '00',
      expect: Buffer.from(`${address}:${source.port}`).toString('hex'),
    })!;
    const target = { host, port: socket.address().port, backendName: 'dns-1', source };
    for (let turn = 0; turn < 5; turn++) {
      assert.deepEqual(await ask(probe, target, AbortSignal.timeout(60_000)), well);
    }
  });
});

describe('a probe from lent sources', () => {
  const tcp = probeFor({ ...defaultCheckTiming, type: 'tcp' })!;
  const given = (sources: readonly number[]) => {
    const back: number[] = [];
    let next = 0;
    const lend = () => {
      const port = sources[next++ % sources.length]!;
      return { address, port, giveBack: () => void back.push(port) };
    };
    return { lend, back };
  };

  it('takes another where one is in use, and gives all of them back', async (t) => {
    const port = await backend(t, []);
    const [taken, free] = [await closedPort(), await closedPort()];
    const holder = connect({ host, port, localAddress: address, localPort: taken });
    t.after(() => holder.destroy());
    await once(holder, 'connect');
    const { lend, back } = given([taken, free]);
    const target = { host, port, backendName: 'web-1' };
    assert.deepEqual(await ask(fromLentSource(tcp, lend), target, AbortSignal.timeout(60_000)), well);
    assert.deepEqual(back, [taken, free]);
  });

  it('gives up in the end, and blames no backend', async (t) => {
    const port = await backend(t, []);
    const taken = await closedPort();
    const holder = connect({ host, port, localAddress: address, localPort: taken });
    t.after(() => holder.destroy());
    await once(holder, 'connect');
    const { lend, back } = given([taken]);
    const result = await ask(
      fromLentSource(tcp, lend),
      { host, port, backendName: 'web-1' },
      AbortSignal.timeout(60_000),
    );
    assert.deepEqual(result, unwell('no local port left', 'nowhere'));
    assert.equal(back.length, 4);
  });

  it('does not ask twice about a backend that has answered', async () => {
    let asked = 0;
    const refused: Probe = async () => {
      asked++;
      throw Object.assign(new Error(), { code: 'ECONNREFUSED' });
    };
    const { lend, back } = given([1]);
    const target = { host, port: 1, backendName: 'web-1' };
    await ask(fromLentSource(refused, lend), target, new AbortController().signal);
    assert.deepEqual([asked, back.length], [1, 1]);
  });
});
