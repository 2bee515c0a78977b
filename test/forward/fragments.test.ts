/** Fragments of datagrams and segments, in any order, in both directions and families. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Craft, craft, see } from '../packet/craft.ts';
import { Balancer, type Family, families } from './balancer.ts';
import type { Released } from './packet-path.ts';

const payload = Uint8Array.from({ length: 1_000 }, (_, index) => index * 7);

/** A datagram in pieces of 256 bytes (behind the UDP header: 248, 256, 256, 240). */
function piecesOf(what: Craft, id = 7): Uint8Array[] {
  const ends = [0, 256, 512, 768, 1_008];
  return ends
    .slice(0, -1)
    .map((from, index) => craft({ ...what, payload, fragment: { id, from, to: ends[index + 1]! } }));
}

function query(family: Family): Craft {
  const { client, vip } = family;
  return { source: client, destination: vip, sourcePort: 40_000, destinationPort: 53, protocol: 'udp' };
}

function forwarded(family: Family): Craft {
  const { snat, backend } = family;
  return { source: snat, destination: backend, sourcePort: 2000, destinationPort: 9000, protocol: 'udp' };
}

function answered(family: Family): Craft {
  const { vip, client } = family;
  return { source: vip, destination: client, sourcePort: 53, destinationPort: 40_000, protocol: 'udp' };
}

/** Sends pieces in this order; what goes on at once and what is released, by position of the piece. */
function sendInOrder(balancer: Balancer, pieces: readonly Uint8Array[], order: readonly number[]) {
  const out = new Map<number, Uint8Array>();
  const reasons: string[] = [];
  const positions = new Map<number, number>();
  const released: Released[] = [];
  for (const position of order) {
    const id = balancer.nextId;
    const sent = balancer.send(pieces[position]!);
    reasons.push(sent.reason);
    if (sent.verdict === undefined) positions.set(id, position);
    else out.set(position, sent.bytes);
    released.push(...balancer.released());
  }
  for (const { id, verdict, bytes } of released) {
    const position = positions.get(id);
    assert.notEqual(position, undefined, 'a verdict over a packet that waits, and one only');
    positions.delete(id);
    if (verdict !== 0) out.set(position!, bytes);
  }
  return { out, reasons, waiting: positions.size, verdicts: released.map(({ verdict }) => verdict) };
}

for (const family of families) {
  describe(`fragments over IPv${family.version}`, () => {
    it('go where the first one goes, in whatever order they come', () => {
      fc.assert(
        fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (order) => {
          const { out, waiting } = sendInOrder(new Balancer(), piecesOf(query(family)), order);
          const expected = piecesOf(forwarded(family));
          assert.equal(waiting, 0);
          for (const position of order)
            assert.deepEqual(out.get(position), expected[position], `piece ${position}`);
        }),
        { numRuns: 24 },
      );
    });

    it('come back likewise', () => {
      const balancer = new Balancer();
      balancer.send(craft(query(family)));
      const { source, destination, sourcePort, destinationPort } = forwarded(family);
      const answer: Craft = {
        source: destination,
        destination: source,
        sourcePort: destinationPort!,
        destinationPort: sourcePort!,
        protocol: 'udp',
      };
      const { out, reasons } = sendInOrder(balancer, piecesOf(answer), [2, 0, 1, 3]);
      assert.deepEqual(reasons, ['held', 'forwarded', 'forwarded', 'forwarded']);
      const expected = piecesOf(answered(family));
      for (const [position, bytes] of out) assert.deepEqual(bytes, expected[position]);
    });

    it('of TCP are as good as any', () => {
      const tcp = (what: Craft): Craft => ({ ...what, protocol: 'tcp', flags: 'S' });
      const pieces = piecesOf(tcp({ ...query(family), destinationPort: 80 }));
      const { out } = sendInOrder(new Balancer(), pieces, [1, 2, 0]);
      const expected = piecesOf(tcp(forwarded(family)));
      assert.deepEqual([out.get(0), out.get(1), out.get(2)], expected.slice(0, 3));
    });

    it('of an echo request make an echo reply', () => {
      const { client, vip, icmp } = family;
      const ping = (source: string, destination: string, type: number): Craft => ({
        source,
        destination,
        protocol: 'icmp',
        icmp: [type, 0],
        ttl: 64,
      });
      const pieces = piecesOf(ping(client, vip, icmp.echo));
      const { out } = sendInOrder(new Balancer(), pieces, [3, 0, 1, 2]);
      const expected = piecesOf(ping(vip, client, icmp.reply));
      for (const [position, bytes] of out) assert.deepEqual(bytes, expected[position]);
      assert.equal(out.size, 4);
    });

    it('that are none of ours go on untouched', () => {
      const pieces = piecesOf({ ...query(family), destinationPort: 5353 });
      const { out, reasons } = sendInOrder(new Balancer(), pieces, [1, 0, 2, 3]);
      assert.deepEqual(reasons, ['held', 'not-ours', 'not-ours', 'not-ours']);
      for (const [position, bytes] of out) assert.deepEqual(bytes, pieces[position]);
    });

    it('of a datagram that is refused are dropped', () => {
      const balancer = new Balancer({ pick: () => 0 });
      const { out, reasons, verdicts } = sendInOrder(balancer, piecesOf(query(family)), [1, 0, 2]);
      assert.deepEqual(reasons, ['held', 'unreachable-sent', 'fragment-refused']);
      assert.deepEqual(verdicts, [0]);
      assert.equal(out.size, 2, 'the bytes of drops, which nobody sends');
    });

    it('wait for the first one no longer than their time', () => {
      const balancer = new Balancer();
      const [, second] = piecesOf(query(family));
      assert.equal(balancer.send(second!).reason, 'held');
      balancer.wait(200);
      assert.deepEqual(balancer.released(), []);
      balancer.wait(1);
      assert.deepEqual(
        balancer.released().map(({ verdict }) => verdict),
        [0],
      );
      assert.deepEqual(balancer.released(), []);
    });

    it('that overlap are dropped, and all others of the datagram', () => {
      const balancer = new Balancer();
      const pieces = piecesOf(query(family));
      const overlap = craft({ ...query(family), payload, fragment: { id: 7, from: 248, to: 400 } });
      const all = [...pieces, overlap];
      const { reasons, verdicts } = sendInOrder(balancer, all, [1, 4, 0, 2]);
      assert.deepEqual(reasons, ['held', 'fragment-overlap', 'fragment-refused', 'fragment-refused']);
      assert.deepEqual(verdicts, [0]);
    });

    it('that come twice are dropped once', () => {
      const { reasons } = sendInOrder(new Balancer(), piecesOf(query(family)), [0, 1, 1, 2]);
      assert.deepEqual(reasons, ['forwarded', 'forwarded', 'fragment-duplicate', 'forwarded']);
    });

    it('wait in bounded number', () => {
      const balancer = new Balancer({ heldPlaces: 2 });
      const { reasons } = sendInOrder(balancer, piecesOf(query(family)), [1, 2, 3, 0]);
      assert.deepEqual(reasons, ['held', 'held', 'fragment-too-many', 'forwarded']);
    });

    it('of different datagrams are not confused', () => {
      const balancer = new Balancer();
      const one = piecesOf(query(family), 1);
      const two = piecesOf({ ...query(family), sourcePort: 40_001 }, 2);
      balancer.send(one[0]!);
      balancer.send(two[0]!);
      const sent = [balancer.send(two[1]!), balancer.send(one[1]!)];
      assert.deepEqual(
        sent.map(({ reason }) => reason),
        ['forwarded', 'forwarded'],
      );
      assert.deepEqual(sent[1]!.bytes, piecesOf(forwarded(family), 1)[1]);
    });

    it('of a datagram that is given up for others go with it, and to nobody else', () => {
      const balancer = new Balancer({ datagrams: 8 });
      assert.equal(balancer.send(piecesOf(query(family), 0)[1]!).reason, 'held');
      for (let id = 1; id <= 8; id++) {
        balancer.nowMs++;
        const other = { ...query(family), sourcePort: 40_000 + id };
        assert.equal(balancer.send(piecesOf(other, id)[0]!).reason, 'forwarded');
      }
      assert.deepEqual(
        balancer.released().map(({ id, verdict }) => [id, verdict]),
        [[1, 0]],
      );
    });

    it('too small to carry a transport header are dropped', () => {
      const tiny = craft({
        ...query(family),
        protocol: 'tcp',
        destinationPort: 80,
        flags: 'S',
        fragment: { id: 7, from: 0, to: 16 },
      });
      assert.equal(new Balancer().send(tiny).reason, 'tiny-fragment');
    });
  });
}

describe('a batch with held packets', () => {
  it('holds the verdicts over the others only, moved up and in order', () => {
    const [family] = families;
    const balancer = new Balancer();
    const { batch } = balancer;
    const [, later] = piecesOf(query(family));
    const plain = craft(query(family));
    for (const [index, packet] of [plain, later!, plain].entries()) {
      batch.bytes.set(packet, index * 2_048);
      batch.id[index] = 100 + index;
      batch.offset[index] = index * 2_048;
      batch.length[index] = packet.length;
      batch.flags[index] = 0;
    }
    assert.equal(balancer.forwarder.process(batch, 3, balancer.nowMs), 2);
    assert.deepEqual([...batch.id.subarray(0, 2)], [100, 102]);
    assert.deepEqual([...batch.offset.subarray(0, 2)], [0, 4_096]);
    assert.deepEqual([...batch.verdict.subarray(0, 2)], [0x11, 0x11]);
    assert.equal(see(batch.bytes.subarray(4_096, 4_096 + batch.length[1]!)).source, family.snat);
  });
});
