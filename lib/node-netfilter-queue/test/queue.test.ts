import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { inside } from '../../../test/support/inside-netns.ts';
import { EtherType, Hook, PacketFlag, Queue, type QueueOptions, Verdict, VerdictFlag } from '../lib/index.ts';
import { queueNumber, type UdpPair, udpThroughQueue } from './support/udp.ts';

// The tests talk to themselves over the loopback device of `router`.
const network = inside(import.meta.url, 'router', {
  links: [{ ends: { router: '10.1.0.1/24', peer: '10.1.0.2/24' } }],
});

/** Length of the IPv4 and UDP headers in front of a datagram's text. */
const headers = 28;

if (network !== undefined) {
  const iptables = (rule: string): string => network.host('router').run(`iptables -w ${rule}`);
  let udp: UdpPair;
  let queue: Queue;

  const open = (options?: QueueOptions): void => {
    queue = new Queue(queueNumber, options);
  };

  const verdictOverAll = (count: number, verdict: number): void => {
    queue.batch.verdict.fill(verdict, 0, count);
    queue.sendVerdicts(count);
  };

  const textOf = (i: number): string => {
    const { bytes, offset, length } = queue.batch;
    return Buffer.from(bytes.subarray(offset[i]! + headers, offset[i]! + length[i]!)).toString();
  };

  /** Puts another text into the datagram of packet `i`, and the lengths in its headers right. */
  const replaceText = (i: number, text: string): void => {
    const { bytes, offset, length } = queue.batch;
    const room = (i + 1) * 0x11000;
    bytes.copyWithin(room, offset[i]!, offset[i]! + headers);
    offset[i] = room;
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset[i]!);
    length[i] = headers + text.length;
    Buffer.from(text).copy(bytes, offset[i]! + headers);
    view.setUint16(2, length[i]!);
    view.setUint16(24, 8 + text.length);
    view.setUint16(10, 0);
    let sum = 0;
    for (let at = 0; at < 20; at += 2) sum += view.getUint16(at);
    view.setUint16(10, ~((sum & 0xffff) + (sum >>> 16)));
  };

  beforeEach(async () => {
    udp = await udpThroughQueue(network, 'router');
  });

  afterEach(() => {
    queue.close();
    udp.close();
  });

  describe('receiving', () => {
    it('returns all packets that are there in one batch', async () => {
      open();
      await udp.send('one', 'two', 'three');
      assert.equal(queue.receive(1000), 3);
      assert.deepEqual([textOf(0), textOf(1), textOf(2)], ['one', 'two', 'three']);
      assert.equal(queue.counters().receives, 1);
    });

    it('leaves for the next batch what exceeds the batch size', async () => {
      open({ batchSize: 2 });
      await udp.send('one', 'two', 'three');
      assert.equal(queue.receive(1000), 2);
      assert.equal(queue.receive(1000), 1);
      assert.equal(textOf(0), 'three');
    });

    it('tells of each packet its id, mark, interface, hook, protocol and length', async () => {
      open();
      iptables(`-I INPUT -p udp --dport ${udp.port} -j MARK --set-mark 0x92345678`);
      await udp.send('x', 'yz');
      iptables('-D INPUT 1');
      assert.equal(queue.receive(1000), 2);
      const { id, mark, length, inputInterface, hook, etherType, flags } = queue.batch;
      assert.deepEqual([...id.subarray(0, 2)], [1, 2]);
      assert.deepEqual([...length.subarray(0, 2)], [headers + 1, headers + 2]);
      assert.equal(mark[1], 0x92345678);
      assert.equal(inputInterface[1], 1);
      assert.equal(hook[1], Hook.input);
      assert.equal(etherType[1], EtherType.ipv4);
      assert.equal(flags[1], 0);
    });

    it('lets packets gather once they come densely, if it is to coalesce', async () => {
      open({ batchSize: 1, coalesceMicros: 1_000 });
      await udp.send(...Array.from({ length: 2_000 }, String));
      let sleeps = 0;
      for (let packet = 0; packet < 2_000; packet++) {
        const before = performance.now();
        assert.equal(queue.receive(1000), 1);
        if (performance.now() - before > 0.8) sleeps++;
        verdictOverAll(1, Verdict.accept);
      }
      assert.ok(sleeps >= 3, `slept ${sleeps} times`);
    });

    it('knows IPv6', async () => {
      const udp6 = await udpThroughQueue(network, 'router', '::1');
      open();
      await udp6.send('six');
      assert.equal(queue.receive(1000), 1);
      assert.equal(queue.batch.etherType[0], EtherType.ipv6);
      assert.equal(queue.batch.bytes[queue.batch.offset[0]!]! >> 4, 6);
      udp6.close();
    });

    it('returns 0 when nothing comes in time', () => {
      open();
      assert.equal(queue.receive(0), 0);
      assert.equal(queue.receive(10), 0);
    });

    it('marks a packet that is longer than the copy range as truncated', async () => {
      open({ copyRange: 40 });
      await udp.send('x'.repeat(100), 'short');
      assert.equal(queue.receive(1000), 2);
      assert.deepEqual([...queue.batch.length.subarray(0, 2)], [40, headers + 5]);
      assert.deepEqual([...queue.batch.flags.subarray(0, 2)], [PacketFlag.truncated, 0]);
    });

    it('leaves the headroom that was asked for before every packet', async () => {
      open({ headroom: 1000 });
      await udp.send('x');
      queue.receive(1000);
      assert.ok(queue.batch.offset[0]! >= 1000);
    });

    it('tells with gso which packets wait for a network card to cut them and to sum them', async () => {
      open({ gso: true });
      await udp.send('x');
      queue.receive(1000);
      assert.equal(queue.batch.flags[0], PacketFlag.checksumNotReady);
    });

    it('refuses to write into memory that was given away', async () => {
      open();
      structuredClone(queue.batch.bytes.buffer, { transfer: [queue.batch.bytes.buffer as ArrayBuffer] });
      assert.throws(() => queue.receive(0), { code: 'ERR_NFQ_SYSTEM', errno: 'EFAULT' });
      assert.throws(() => queue.sendVerdicts(0), { code: 'ERR_NFQ_SYSTEM', errno: 'EFAULT' });
    });
  });

  describe('verdicts', () => {
    it('go out in one system call and let the packets pass in order', async () => {
      open();
      await udp.send('one', 'two', 'three');
      verdictOverAll(queue.receive(1000), Verdict.accept);
      assert.deepEqual(await udp.arrivals(3), ['one', 'two', 'three']);
      assert.equal(queue.counters().sends, 1);
    });

    it('are to drop the packet where nothing was said, whatever was said the last time', async () => {
      open();
      await udp.send('one', 'two', 'three');
      verdictOverAll(queue.receive(1000), Verdict.accept);
      await udp.send('four', 'five');
      queue.sendVerdicts(queue.receive(1000));
      await udp.send('six');
      verdictOverAll(queue.receive(1000), Verdict.accept);
      assert.deepEqual(await udp.arrivals(4), ['one', 'two', 'three', 'six']);
    });

    for (const [change, text] of [
      ['as long', 'tea'],
      ['shorter', 'a'],
      ['longer', 'milk and sugar '.repeat(60)],
      ['as long as netlink allows', 'x'.repeat(65_531 - headers)],
    ] as const) {
      it(`replace a packet by one that is ${change}, and complete its checksum`, async () => {
        open();
        await udp.send('one');
        const count = queue.receive(1000);
        replaceText(0, text);
        verdictOverAll(count, Verdict.accept | VerdictFlag.rewritten | VerdictFlag.checksum);
        assert.deepEqual(await udp.arrivals(1), [text]);
      });
    }

    it('leave a wrong checksum wrong when they are not asked to complete it', async () => {
      open();
      await udp.send('one');
      const count = queue.receive(1000);
      replaceText(0, 'two');
      verdictOverAll(count, Verdict.accept | VerdictFlag.rewritten);
      await udp.send('three');
      verdictOverAll(queue.receive(1000), Verdict.accept);
      assert.deepEqual(await udp.arrivals(1), ['three']);
    });

    it('take a packet that was moved into its headroom', async () => {
      open();
      await udp.send('one');
      const count = queue.receive(1000);
      const { bytes, offset, length } = queue.batch;
      bytes.copyWithin(offset[0]! - 64, offset[0]!, offset[0]! + length[0]!);
      offset[0]! -= 64;
      verdictOverAll(count, Verdict.accept | VerdictFlag.rewritten);
      assert.deepEqual(await udp.arrivals(1), ['one']);
    });

    it('set a mark, and repeat sends the packet past the rules again', async () => {
      open();
      iptables('-I INPUT -m mark --mark 0xabc -j ACCEPT');
      await udp.send('one');
      const count = queue.receive(1000);
      queue.batch.mark[0] = 0xabc;
      verdictOverAll(count, Verdict.repeat | VerdictFlag.mark);
      assert.deepEqual(await udp.arrivals(1), ['one']);
      iptables('-D INPUT 1');
    });

    it('over more bytes than one send may carry go out in several', async () => {
      // The kernel doubles what is asked for, so three packets fit.
      open({ sendBufferBytes: 16_000 });
      await udp.send(...Array.from({ length: 10 }, () => 'x'));
      const count = queue.receive(1000);
      const texts = Array.from({ length: 10 }, (_, i) => String(i).repeat(10_000));
      for (let i = 0; i < count; i++) replaceText(i, texts[i]!);
      verdictOverAll(count, Verdict.accept | VerdictFlag.rewritten | VerdictFlag.checksum);
      assert.deepEqual(await udp.arrivals(10), texts);
      assert.equal(queue.counters().sends, 4);
    });

    it('turn into a drop where the send buffer is too small for the packet', async () => {
      open({ sendBufferBytes: 5_000 });
      await udp.send('one', 'two', 'three');
      const count = queue.receive(1000);
      queue.batch.verdict.fill(Verdict.accept, 0, count);
      replaceText(1, 'x'.repeat(60_000));
      queue.batch.verdict[1] = Verdict.accept | VerdictFlag.rewritten;
      queue.sendVerdicts(count);
      assert.deepEqual(await udp.arrivals(2), ['one', 'three']);
      assert.equal(queue.counters().waiting, 0);
    });

    it('are none at all if one of them lies outside the batch', async () => {
      open();
      await udp.send('one', 'two');
      const count = queue.receive(1000);
      queue.batch.verdict.fill(Verdict.accept | VerdictFlag.rewritten, 0, count);
      for (const [offset, length] of [
        [queue.batch.bytes.length - 27, 28],
        [queue.batch.bytes.length, 1],
        [0xffff_ffff, 0xffff_ffff],
        [0, 65_532],
        [0, 0],
      ] as const) {
        queue.batch.offset[1] = offset;
        queue.batch.length[1] = length;
        assert.throws(() => queue.sendVerdicts(count), { code: 'ERR_NFQ_ARGUMENT' });
      }
      assert.throws(() => queue.sendVerdicts(65), { code: 'ERR_NFQ_ARGUMENT' });
      assert.equal(queue.counters().waiting, 2);
    });

    it('over packets that are gone are counted and hurt nobody', async () => {
      open();
      await udp.send('one');
      const count = queue.receive(1000);
      queue.batch.verdict[0] = Verdict.accept;
      queue.sendVerdicts(count);
      queue.sendVerdicts(count);
      await udp.send('two');
      verdictOverAll(queue.receive(1000), Verdict.accept);
      assert.deepEqual(await udp.arrivals(2), ['one', 'two']);
      assert.equal(queue.counters().refused, 1);
    });
  });

  describe('a full queue', () => {
    it('drops what comes, and the kernel counts it', async () => {
      open({ queueLength: 2 });
      await udp.send('one', 'two', 'three', 'four', 'five');
      const { waiting, droppedQueueFull } = queue.counters();
      assert.deepEqual({ waiting, droppedQueueFull }, { waiting: 2, droppedQueueFull: 3 });
    });

    it('lets pass what comes if it is to fail open', async () => {
      open({ queueLength: 2, failOpen: true });
      await udp.send('one', 'two', 'three', 'four', 'five');
      assert.deepEqual(await udp.arrivals(3), ['three', 'four', 'five']);
    });

    it('counts apart what the receive buffer had no room for', async () => {
      open({ receiveBufferBytes: 5_000 });
      await udp.send(...Array.from({ length: 50 }, () => 'x'.repeat(1000)));
      const { waiting, droppedQueueFull, droppedBufferFull } = queue.counters();
      assert.equal(droppedQueueFull, 0);
      assert.equal(waiting! + droppedBufferFull!, 50);
      assert.ok(droppedBufferFull! > 0);
    });
  });

  describe('a queue that is closed', () => {
    it('says so, and may be closed again', () => {
      open();
      queue.close();
      queue.close();
      assert.equal(queue.closed, true);
      assert.throws(() => queue.receive(0), { code: 'ERR_NFQ_CLOSED' });
      assert.throws(() => queue.sendVerdicts(0), { code: 'ERR_NFQ_CLOSED' });
    });

    it('can be opened again at once, its number being free', async () => {
      open();
      queue.close();
      open();
      await udp.send('one');
      assert.equal(queue.receive(1000), 1);
    });
  });
}
