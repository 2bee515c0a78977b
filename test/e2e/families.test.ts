/**
 *                                            ┌──▶ 127.0.0.1
 *   client ── IPv4 or IPv6 ──▶ sluice up ────┤                 TCP and UDP
 *                                            └──▶ [::1]
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { formatHostPort, parseListen } from '../../lib/model/address.ts';
import { scratch } from '../support/scratch.ts';
import { sluice } from '../support/sluice.ts';
import { Inspector } from './support.ts';

const loopbacks = ['127.0.0.1', '::1'] as const;

const hasIpv6 = Object.values(networkInterfaces()).some((at) => at?.some(({ address }) => address === '::1'));
const skip = !hasIpv6 && 'needs ::1 on the loopback: sysctl net.ipv6.conf.lo.disable_ipv6=0';

const typeOf = (address: string) => (address.includes(':') ? 'udp6' : 'udp4');

/** Greets over TCP, answers what it is asked over UDP; both on one port. */
async function startBackend(host: string) {
  const tcp = createServer((socket) => socket.end('hello')).listen(0, host);
  await once(tcp, 'listening');
  const { port } = tcp.address() as AddressInfo;
  const udp = createSocket(typeOf(host)).bind(port, host);
  await once(udp, 'listening');
  udp.on('message', (bytes, from) => udp.send(bytes, from.port, from.address));
  const stop = () => {
    tcp.close();
    udp.close();
  };
  return { address: formatHostPort(host, port), [Symbol.dispose]: stop };
}

describe('clients of either family', { skip }, () => {
  it('reach backends of either family, at one address or at all', async () => {
    using backend4 = await startBackend('127.0.0.1');
    using backend6 = await startBackend('::1');
    const pairs = ['', ...loopbacks].flatMap((listen) =>
      [backend4, backend6].map(({ address }) => ({ listen: formatHostPort(listen, 0), address })),
    );
    const services = pairs.map(({ listen, address }, index) => ({
      name: `service-${index}`,
      listen: [`tcp://${listen}`, `udp://${listen}`],
      backends: [address],
    }));
    const directory = scratch();
    const file = directory.write('families.yaml', JSON.stringify({ name: 'families', services }));
    await using proxy = await sluice(['up', '-f', file]);

    const asked = new Set<string>();
    for (const { listen } of proxy.ready.services) {
      const [tcp, udp] = listen.split(',').map(parseListen);
      for (const host of tcp!.host === '' ? loopbacks : [tcp!.host]) {
        assert.equal(await text(connect({ host, port: tcp!.port })), 'hello');

        const client = createSocket(typeOf(host)).bind(0, host);
        await once(client, 'listening');
        client.send('question', udp!.port, host);
        const [answer, from] = await once(client, 'message');
        assert.deepEqual([String(answer), from.address, from.port], ['question', host, udp!.port]);
        asked.add(formatHostPort(host, client.address().port));
        client.close();
      }
    }
    assert.equal(asked.size, 2 * (2 + 1 + 1));
    assert.deepEqual(new Set(await new Inspector(proxy).clients()), asked);
    directory.remove();
  });
});
