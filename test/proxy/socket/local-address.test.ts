/**
 *   client ──▶ one of the addresses of `here` ──▶ a socket bound to every address ──▶ the answer comes from there
 *
 *   here 10.1.0.1, 10.1.0.7, fd00::1, fd00::7, fe80::7 ──── there 10.1.0.2, fd00::2
 */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { BatchUdp } from '../../../lib/proxy/socket/batch-udp.ts';
import { inside } from '../../support/inside-netns.ts';
import { until } from './node-support.ts';
import { bindFor, datagramOf } from './udp-contract.ts';

const network = inside(import.meta.url, 'here', {
  links: [
    {
      ends: {
        here: '10.1.0.1/24 10.1.0.7/24 fd00::1/64 fd00::7/64 fe80::7/64',
        there: '10.1.0.2/24 fd00::2/64',
      },
    },
  ],
});

if (network !== undefined) {
  const transport = new BatchUdp();

  describe('a socket bound to every address', () => {
    for (const [host, client, writesTo, hearsFrom] of [
      ['', '10.1.0.1', '10.1.0.7', '10.1.0.7'],
      ['0.0.0.0', '10.1.0.1', '10.1.0.7', '10.1.0.7'],
      ['', 'fd00::1', 'fd00::7', 'fd00::7'],
      ['::', 'fd00::1', 'fd00::7', 'fd00::7'],
      ['', 'fe80::7%there', 'fe80::7%there', 'fe80::7%there'],
      // Nobody answers from the address of a group: the system chooses.
      ['', '10.1.0.1', '10.1.0.255', '10.1.0.1'],
      ['', 'fd00::1', 'ff02::1%there', 'fd00::1'],
    ] as const) {
      it(`at ${host || 'both families'} answers from ${hearsFrom} who has written to ${writesTo}`, async (t) => {
        const { owner, port } = bindFor(t, transport, host);
        const socket = createSocket(client.includes(':') ? 'udp6' : 'udp4').bind(0, client);
        t.after(() => socket.close());
        await once(socket, 'listening');
        if (!client.includes(':')) socket.setBroadcast(true);
        socket.send('question', port, writesTo);
        await until(() => owner.received.length > 0);
        owner.clients[0]!.send(datagramOf('answer'));
        const [answer, from] = await once(socket, 'message');
        assert.deepEqual([String(answer), from.address, owner.unsent], ['answer', hearsFrom, []]);
      });
    }

    it('knows one client as two where it writes to two of its addresses', async (t) => {
      const { owner, port } = bindFor(t, transport, '');
      const socket = createSocket('udp4').bind(0, '10.1.0.1');
      t.after(() => socket.close());
      await once(socket, 'listening');
      for (const address of ['10.1.0.1', '10.1.0.7', '10.1.0.1']) socket.send('question', port, address);
      await until(() => owner.received.length === 3);
      assert.equal(owner.clients.length, 2);
    });
  });
}
