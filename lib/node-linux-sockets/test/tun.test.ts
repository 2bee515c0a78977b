import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { afterEach, describe, it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { craft } from '../../../test/packet/craft.ts';
import { inside } from '../../../test/support/inside-netns.ts';
import { Tun, type TunOptions } from '../lib/index.ts';
import { columnsOf } from './support/columns.ts';
import { udpReceiver } from './support/udp.ts';

const network = inside(import.meta.url, 'end', {
  links: [{ ends: { end: '10.1.0.1/24', peer: '10.1.0.2/24' } }],
});

if (network !== undefined) {
  const end = network.host('end');
  let tun: Tun;
  afterEach(() => tun.close());

  const open = (name?: string, options?: TunOptions): void => {
    tun = new Tun(name, options);
  };

  /** With addresses and a route of its own, so that packets from 10.9.0.0/24 are believed. */
  const bringUp = (): void => {
    end.run(`ip address add 10.9.0.1/24 dev ${tun.name}`);
    end.run(`ip address add fd09::1/64 dev ${tun.name} nodad`);
    end.run(`ip link set ${tun.name} up`);
  };

  const write = (packets: readonly Uint8Array[]): number => {
    const { bytes, offsets, lengths, count } = columnsOf(packets);
    return tun.write(bytes, offsets, lengths, count);
  };

  const hear = async (t: TestContext, address: string) => {
    const receiver = await udpReceiver(address);
    t.after(() => receiver.close());
    return receiver;
  };

  const datagram = (source: string, destination: string, destinationPort: number, payload: string) =>
    craft({ source, destination, protocol: 'udp', sourcePort: 4000, destinationPort, payload });

  /** The next packet for the device that is a UDP datagram, among those that the kernel sends by itself. */
  const nextDatagram = async (): Promise<Uint8Array> => {
    const into = new Uint8Array(2_000);
    for (;;) {
      const length = tun.read(into);
      if (length === 0) await sleep(5);
      else if (into[0]! >> 4 === 4 && into[9] === 17) return into.slice(0, length);
    }
  };

  describe('a TUN device', () => {
    it('lets packets of both families arrive', async (t) => {
      open();
      bringUp();
      const [v4, v6] = [await hear(t, '10.9.0.1'), await hear(t, 'fd09::1')];
      const taken = write([
        datagram('10.9.0.7', '10.9.0.1', v4.port, 'one'),
        datagram('fd09::7', 'fd09::1', v6.port, 'two'),
        datagram('10.9.0.8', '10.9.0.1', v4.port, 'three'),
      ]);
      assert.equal(taken, 3);
      assert.deepEqual(await v4.arrivals(2), ['10.9.0.7:4000 one', '10.9.0.8:4000 three']);
      assert.deepEqual(await v6.arrivals(1), ['fd09::7:4000 two']);
    });

    it('gives what the machine routes to it', async () => {
      open();
      bringUp();
      end.run(`bash -c 'printf hello > /dev/udp/10.9.0.7/4001'`);
      const packet = await nextDatagram();
      assert.deepEqual([...packet.subarray(12, 20)], [10, 9, 0, 1, 10, 9, 0, 7]);
      assert.equal(Buffer.from(packet.subarray(28)).toString(), 'hello');
    });

    it('has nothing to read when nothing came', () => {
      open();
      assert.equal(tun.read(new Uint8Array(2_000)), 0);
    });

    it('counts what it does not take, and takes what comes after it', async (t) => {
      open();
      assert.equal(write([datagram('10.9.0.7', '10.9.0.1', 9, 'down')]), 0);
      bringUp();
      const receiver = await hear(t, '10.9.0.1');
      const taken = write([
        new Uint8Array(40).fill(0xff),
        datagram('10.9.0.7', '10.9.0.1', receiver.port, 'good'),
      ]);
      assert.equal(taken, 1);
      assert.deepEqual(await receiver.arrivals(1), ['10.9.0.7:4000 good']);
      assert.deepEqual(tun.counters(), { sent: 1, tooLarge: 0, unreachable: 0, noRoom: 0, refused: 2 });
    });

    it('has the name and the MTU that were asked for', () => {
      open('wire%d', { mtu: 9_000 });
      assert.equal(tun.name, 'wire0');
      const second = new Tun('wire%d');
      assert.equal(second.name, 'wire1');
      second.close();
      assert.match(end.run('ip link show wire0'), /mtu 9000/);
    });

    it('is gone once it is closed', () => {
      open('wire');
      assert.ok(existsSync(`/proc/sys/net/ipv4/conf/wire`));
      tun.close();
      tun.close();
      assert.throws(() => end.run('ip link show wire'));
      assert.throws(() => write([]), { code: 'ERR_SOCKETS_CLOSED' });
      assert.throws(() => tun.read(new Uint8Array(1)), { code: 'ERR_SOCKETS_CLOSED' });
    });

    it('cannot have a name that is taken', () => {
      open('wire');
      assert.throws(() => new Tun('wire'), { code: 'ERR_SOCKETS_BUSY', errno: 'EBUSY' });
    });
  });
}
