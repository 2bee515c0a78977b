import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';
import { afterEach, describe, it, type TestContext } from 'node:test';
import { craft } from '../../../test/packet/craft.ts';
import { inside } from '../../../test/support/inside-netns.ts';
import { startWorker } from '../../../test/support/worker.ts';
import { RawSocket, type RawSocketOptions } from '../lib/index.ts';
import { columnsOf } from './support/columns.ts';
import { type UdpReceiver, udpReceiver } from './support/udp.ts';

// sender 10.1.0.1, fd00::1 ──── peer 10.1.0.2, fd00::2, of MTU 1400; the tests run on sender, and hear there too.
const network = inside(import.meta.url, 'sender', {
  links: [{ ends: { sender: '10.1.0.1/24 fd00::1/64', peer: '10.1.0.2/24 fd00::2/64' }, mtu: 1400 }],
});

if (network !== undefined) {
  const sender = network.host('sender');
  let socket: RawSocket;
  afterEach(() => socket.close());

  const open = (family: 4 | 6, options?: RawSocketOptions): void => {
    socket = new RawSocket(family, options);
  };

  const hear = async (t: TestContext, address: string): Promise<UdpReceiver> => {
    const receiver = await udpReceiver(address);
    t.after(() => receiver.close());
    return receiver;
  };

  const send = (packets: readonly Uint8Array[]): number => {
    const { bytes, offsets, lengths, count } = columnsOf(packets);
    return socket.send(bytes, offsets, lengths, count);
  };

  /** A datagram from port 4000 of a client that does not exist. */
  const datagram = (destination: string, destinationPort: number, payload: string): Uint8Array =>
    craft({
      source: destination.includes(':') ? 'fd00::77' : '10.1.0.77',
      destination,
      protocol: 'udp',
      sourcePort: 4000,
      destinationPort,
      payload,
    });

  describe('a raw socket', () => {
    for (const [family, address, client] of [
      [4, '127.0.0.1', '10.1.0.77:4000'],
      [4, '10.1.0.1', '10.1.0.77:4000'],
      [6, 'fd00::1', 'fd00::77:4000'],
    ] as const) {
      it(`sends each packet to ${address} with the headers that it has`, async (t) => {
        open(family);
        sender.run('sysctl -qw net.ipv4.conf.lo.accept_local=1 net.ipv4.conf.lo.rp_filter=0');
        const receiver = await hear(t, address);
        const texts = ['one', 'two', 'three'];
        assert.equal(send(texts.map((text) => datagram(address, receiver.port, text))), 3);
        assert.deepEqual(
          await receiver.arrivals(3),
          texts.map((text) => `${client} ${text}`),
        );
      });
    }

    it('reaches another host, which sees it as it was written', async (t) => {
      const listener = [
        'import socket',
        's = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)',
        'print("listening", flush=True)',
        'print(s.recv(2000).hex())',
      ].join('\n');
      const python = network.host('peer').spawn('python3', ['-c', listener]);
      t.after(() => python.kill());
      const lines = createInterface(python.stdout!)[Symbol.asyncIterator]();
      await lines.next();
      open(4);
      const packet = datagram('10.1.0.2', 9, 'as it is');
      assert.equal(send([packet]), 1);
      const seen = Buffer.from((await lines.next()).value, 'hex');
      assert.deepEqual([...seen], [...packet]);
    });

    it('sends more packets than one system call takes, to places of all kinds, in order', async (t) => {
      open(4);
      const [one, other] = [await hear(t, '127.0.0.1'), await hear(t, '127.0.0.2')];
      const packets = Array.from({ length: 600 }, (_, i) => [
        datagram('127.0.0.1', one.port, `${i}`),
        datagram('127.0.0.2', other.port, `${i}`),
      ]).flat();
      // In portions that a receive buffer holds.
      for (let from = 0; from < packets.length; from += 300) {
        const portion = packets.slice(from, from + 300);
        assert.equal(send(portion), 300);
        for (const receiver of [one, other]) {
          assert.deepEqual(
            (await receiver.arrivals(150)).map((line) => line.split(' ')[1]),
            Array.from({ length: 150 }, (_, i) => `${from / 2 + i}`),
          );
        }
      }
      const many = Array.from({ length: 1_500 }, () => datagram('127.0.0.3', 9, '.'));
      assert.equal(send(many), 1_500);
      assert.equal(socket.counters().sent, 2_700);
    });

    it('counts what cannot be sent, and sends what comes after it', async (t) => {
      open(4);
      const receiver = await hear(t, '127.0.0.1');
      sender.run('iptables -w -A OUTPUT -d 10.1.0.66 -j DROP');
      const sent = send([
        datagram('192.0.2.1', 9, 'no route'),
        datagram('10.1.0.2', 9, 'x'.repeat(1_400)),
        datagram('10.1.0.66', 9, 'filtered'),
        datagram('fd00::2', 9, 'of the other family'),
        new Uint8Array(19).fill(0x45),
        new Uint8Array(0),
        datagram('127.0.0.1', receiver.port, 'last'),
      ]);
      assert.equal(sent, 1);
      assert.deepEqual(await receiver.arrivals(1), ['10.1.0.77:4000 last']);
      assert.deepEqual(socket.counters(), { sent: 1, tooLarge: 1, unreachable: 1, noRoom: 0, refused: 4 });
    });

    it('counts what finds the send buffer full, and never waits', () => {
      open(4, { sendBufferBytes: 1 });
      // Nobody answers for this address, so packets wait there.
      const packets = Array.from({ length: 20 }, () => datagram('10.1.0.99', 9, 'x'.repeat(1_000)));
      assert.ok(send(packets) < 20);
      const { sent, noRoom } = socket.counters();
      assert.ok(noRoom > 0);
      assert.equal(sent + noRoom, 20);
    });

    it('gives its packets a mark', () => {
      sender.run('iptables -w -A OUTPUT -d 10.1.0.2 -m mark --mark 0x92345678');
      open(4, { mark: 0x92345678 });
      send([datagram('10.1.0.2', 9, 'marked')]);
      const [, count] = /-A OUTPUT -d 10.1.0.2\/32 -m mark .* -c (\d+)/.exec(
        sender.run('iptables -w -vS OUTPUT'),
      )!;
      assert.equal(count, '1');
    });

    it('is refused packets that do not lie within their bytes, and sends none then', () => {
      open(4);
      const { bytes, offsets, lengths } = columnsOf([datagram('127.0.0.1', 9, '.')]);
      for (const attempt of [
        () => socket.send(bytes, Uint32Array.of(1), lengths, 1),
        () => socket.send(bytes, offsets, Uint32Array.of(0xffff_ffff), 1),
        () => socket.send(bytes, Uint32Array.of(0, 0xffff_ffff), Uint32Array.of(20, 1), 2),
        () => socket.send(bytes, offsets, lengths, 2),
      ]) {
        assert.throws(attempt, { code: 'ERR_SOCKETS_ARGUMENT' });
      }
      assert.equal(socket.counters().sent, 0);
    });

    it('is of no use once it is closed, but still tells its counters', () => {
      open(4);
      send([datagram('127.0.0.1', 9, '.')]);
      socket.close();
      socket.close();
      assert.throws(() => send([]), { code: 'ERR_SOCKETS_CLOSED' });
      assert.equal(socket.counters().sent, 1);
    });

    it('may stand on threads, each with its own', async (t) => {
      open(4);
      const receiver = await hear(t, '127.0.0.1');
      const fixture = new URL('./fixtures/raw-sender.ts', import.meta.url);
      const workers = await Promise.all(
        ['one', 'two'].map((text) => {
          const { bytes } = columnsOf([datagram('127.0.0.1', receiver.port, text)]);
          return startWorker(fixture, { bytes });
        }),
      );
      assert.deepEqual((await receiver.arrivals(2)).sort(), ['10.1.0.77:4000 one', '10.1.0.77:4000 two']);
      await Promise.all(workers.map((worker) => worker.terminate()));
    });
  });
}
