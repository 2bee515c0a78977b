import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inside } from '../../../test/support/inside-netns.ts';
import { type Packet, PacketFlag, Queue } from '../lib/index.ts';
import { queueNumber, type UdpPair, udpThroughQueue } from './support/udp.ts';

const network = inside(import.meta.url, 'router', {
  links: [{ ends: { router: '10.1.0.1/24', peer: '10.1.0.2/24' } }],
});

/** Length of the IPv4 and UDP headers in front of a datagram's text. */
const headers = 28;

if (network !== undefined) {
  const textOf = (packet: Packet): string => Buffer.from(packet.bytes.subarray(headers)).toString();

  /** The first `count` packets, all waiting for their verdicts. */
  const take = async (packets: AsyncIterator<Packet>, count: number): Promise<Packet[]> => {
    const taken: Packet[] = [];
    while (taken.length < count) {
      const next = await packets.next();
      assert.ok(!next.done);
      taken.push(next.value);
    }
    return taken;
  };

  describe('the packets of a queue', () => {
    let udp: UdpPair;
    let queue: Queue;

    beforeEach(async () => {
      udp = await udpThroughQueue(network, 'router');
      queue = new Queue(queueNumber);
    });

    afterEach(() => {
      queue.close();
      udp.close();
    });

    it('come one by one while the event loop runs, and go on or not', async () => {
      const seen: string[] = [];
      const loop = (async () => {
        for await (const packet of queue) {
          seen.push(textOf(packet));
          if (textOf(packet) === 'bad') packet.drop();
          else packet.accept();
        }
      })();
      await udp.send('one', 'bad', 'two');
      assert.deepEqual(await udp.arrivals(2), ['one', 'two']);
      await sleep(10);
      await udp.send('three');
      assert.deepEqual(await udp.arrivals(1), ['three']);
      queue.close();
      await loop;
      assert.deepEqual(seen, ['one', 'bad', 'two', 'three']);
    });

    it('may be answered late and in any order', async () => {
      const packets = queue[Symbol.asyncIterator]();
      await udp.send('one', 'two', 'three');
      const [first, second, third] = await take(packets, 3);
      third!.accept();
      assert.deepEqual(await udp.arrivals(1), ['three']);
      await udp.send('four');
      const [fourth] = await take(packets, 1);
      fourth!.accept();
      first!.accept();
      second!.accept();
      assert.deepEqual(await udp.arrivals(3), ['four', 'one', 'two']);
    });

    it('get their verdicts before new packets take the place of these in the batch', async () => {
      const packets = queue[Symbol.asyncIterator]();
      await udp.send('one');
      const [one] = await take(packets, 1);
      const next = packets.next();

      // In the event loop's timer phase: the watch fires now, and is served before any immediate.
      await sleep(1);
      void udp.send('two');
      await new Promise(process.nextTick);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
      one!.accept();

      const two = await next;
      two.value!.accept();
      assert.deepEqual(await udp.arrivals(2), ['one', 'two']);
    });

    it('may be replaced, and their transport checksum is put right', async () => {
      const packets = queue[Symbol.asyncIterator]();
      await udp.send('black', 'green');
      const taken = await take(packets, 2);
      for (const packet of taken) {
        const changed = Uint8Array.from(packet.bytes);
        changed.set(Buffer.from('white'), headers);
        packet.accept(changed);
      }
      assert.deepEqual(await udp.arrivals(2), ['white', 'white']);
      assert.equal(queue.counters().sends, 1);
    });

    it('may be marked and sent past the rules again', async () => {
      network.host('router').run('iptables -w -I INPUT -m mark --mark 0xabc -j ACCEPT');
      const packets = queue[Symbol.asyncIterator]();
      await udp.send('one');
      const [packet] = await take(packets, 1);
      packet!.mark = 0xabc;
      packet!.repeat();
      assert.deepEqual(await udp.arrivals(1), ['one']);
      network.host('router').run('iptables -w -D INPUT 1');
    });

    it('tell when their end is missing', async () => {
      queue.close();
      queue = new Queue(queueNumber, { copyRange: 30 });
      await udp.send('one', 'a');
      const [long, short] = await take(queue[Symbol.asyncIterator](), 2);
      assert.equal(long!.bytes.length, 30);
      assert.deepEqual([long!.truncated, short!.truncated], [true, false]);
      assert.equal(long!.flags, PacketFlag.truncated);
    });

    it('refuse a second verdict and a replacement that is no packet', async () => {
      await udp.send('one', 'two');
      const [first, second] = await take(queue[Symbol.asyncIterator](), 2);
      first!.accept();
      assert.throws(() => first!.drop(), { code: 'ERR_NFQ_ARGUMENT' });
      assert.throws(() => second!.accept(new Uint8Array(0)), { code: 'ERR_NFQ_ARGUMENT' });
      assert.throws(() => second!.accept(new Uint8Array(65_532)), { code: 'ERR_NFQ_ARGUMENT' });
      second!.accept();
      assert.deepEqual(await udp.arrivals(2), ['one', 'two']);
    });

    it('end when the queue is closed, verdicts after that being too late', async () => {
      const packets = queue[Symbol.asyncIterator]();
      await udp.send('one');
      const [packet] = await take(packets, 1);
      const next = packets.next();
      queue.close();
      assert.deepEqual(await next, { done: true, value: undefined });
      packet!.accept();
    });

    it('close the queue when the loop is left, after the last verdict', async () => {
      await udp.send('one');
      for await (const packet of queue) {
        packet.accept();
        break;
      }
      assert.equal(queue.closed, true);
      assert.deepEqual(await udp.arrivals(1), ['one']);
    });
  });
}
