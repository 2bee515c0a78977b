/** Fragments of clients' packets: all of one datagram reach one backend, each in a tunnel packet of its own. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Craft, craft } from '../packet/craft.ts';
import { reassemble } from '../packet/reassemble.ts';
import { seeTunnel } from '../packet/tunnels.ts';
import { type Family, families } from './balancer.ts';
import { DsrBalancer, dsrSpec, l2Endpoint, l2Mark, type Outside, outsides } from './dsr-balancer.ts';
import { choose, oneHopOn } from './dsr-rows/row.ts';

const payload = Uint8Array.from({ length: 1_000 }, (_, index) => index * 7);

function query(family: Family): Craft {
  const { client, vip } = family;
  return {
    source: client,
    destination: vip,
    sourcePort: 40_000,
    destinationPort: 53,
    protocol: 'udp',
    payload,
  };
}

/** A datagram in pieces of 256 bytes (behind the UDP header: 248, 256, 256, 240). */
function piecesOf(what: Craft, id = 7): Uint8Array[] {
  const ends = [0, 256, 512, 768, 1_008];
  return ends
    .slice(0, -1)
    .map((from, index) => craft({ ...what, fragment: { id, from, to: ends[index + 1]! } }));
}

function make(outside: Outside): DsrBalancer {
  return new DsrBalancer({ pick: () => outside.endpoint });
}

/** All that goes on when `packets` come, at once or released, in whatever order; and the reasons. */
function sendAll(balancer: DsrBalancer, packets: readonly Uint8Array[]) {
  const out: Uint8Array[] = [];
  const reasons: string[] = [];
  for (const packet of packets) {
    const sent = balancer.send(packet);
    reasons.push(sent.reason);
    if (sent.verdict === 0x11) out.push(sent.bytes);
    for (const { verdict, bytes } of balancer.released()) if (verdict === 0x11) out.push(bytes);
    out.push(...balancer.sentApart());
  }
  return { out, reasons };
}

function sorted(packets: readonly Uint8Array[]): string[] {
  return packets.map((packet) => Buffer.from(packet).toString('hex')).sort();
}

for (const family of families) {
  for (const outside of outsides) {
    describe(`fragments, IPv${family.version} in IPv${outside.version}`, () => {
      it('all go where the first one goes, in whatever order they come', () => {
        fc.assert(
          fc.property(fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }), (order) => {
            const balancer = make(outside);
            const pieces = piecesOf(query(family));
            const { out } = sendAll(
              balancer,
              order.map((position) => pieces[position]!),
            );
            const seen = out.map((bytes) => seeTunnel(bytes));
            assert.ok(seen.every(({ destination }) => destination === outside.backend));
            assert.deepEqual(sorted(seen.map(({ inner }) => inner)), sorted(pieces.map(oneHopOn)));
          }),
          { numRuns: 24 },
        );
      });

      it('show the same flow outside', () => {
        const balancer = new DsrBalancer({ pick: () => outside.ipipEndpoint });
        const { out } = sendAll(balancer, piecesOf(query(family)));
        const seen = out.map((bytes) => seeTunnel(bytes));
        assert.equal(new Set(seen.map(({ source, flowLabel }) => `${source} ${flowLabel}`)).size, 1);
        assert.equal(seen.length, 4);
      });

      it('stay with it when the policy changes its mind', () => {
        const balancer = make(outside);
        const [first, ...later] = piecesOf(query(family));
        sendAll(balancer, [first!]);
        choose(balancer, outside, 'other');
        const { out } = sendAll(balancer, later);
        assert.ok(out.every((bytes) => seeTunnel(bytes).destination === outside.backend));
        assert.equal(out.length, 3);
      });

      it('that are too long are cut up further, or answered', () => {
        const balancer = make(outside);
        const what = { ...query(family), payload: new Uint8Array(2_992).fill(9) };
        const whole = craft(what);
        const ends = [0, 1_480, 2_960, 3_000];
        const pieces = ends
          .slice(0, -1)
          .map((from, index) => craft({ ...what, fragment: { id: 7, from, to: ends[index + 1]! } }));
        balancer.spec.endpointMtu[outside.endpoint] = 1_500;
        const { out, reasons } = sendAll(balancer, pieces);
        if (family.version === 6) {
          assert.deepEqual(reasons, ['too-big-sent', 'fragment-refused', 'fragment-refused']);
          return;
        }
        assert.equal(reasons[0], 'sent-apart');
        assert.ok(out.every((bytes) => bytes.length <= 1_500));
        const together = reassemble(out.map((bytes) => seeTunnel(bytes).inner));
        assert.deepEqual([...together.subarray(20)], [...whole.subarray(20)]);
      });

      it('that are too long, may not be cut up and are not the first are dropped without a word', () => {
        const balancer = make(outside);
        const what = { ...query(family), payload: new Uint8Array(2_992) };
        const first = craft({ ...what, fragment: { id: 7, from: 0, to: 800 } });
        const later = craft({ ...what, fragment: { id: 7, from: 800, to: 2_280 } });
        balancer.spec.endpointMtu[outside.endpoint] = 1_500;
        if (family.version === 4) later[6]! |= 0x40;
        const { out, reasons } = sendAll(balancer, [first, later]);
        assert.deepEqual([out.length, reasons[1]], [1, 'too-big']);
      });

      it('of a packet that is dropped are dropped', () => {
        const balancer = new DsrBalancer({
          pick: () => 0,
          spec: { ...dsrSpec(), vips: dsrSpec().vips.map((vip) => ({ ...vip, rejectWhenNone: false })) },
        });
        const [first, second, third] = piecesOf(query(family));
        const { out, reasons } = sendAll(balancer, [second!, first!, third!]);
        assert.deepEqual([out, reasons], [[], ['held', 'no-backend', 'fragment-refused']]);
      });
    });
  }

  describe(`fragments over IPv${family.version}`, () => {
    it('for a backend on the same link all get its mark, those that had to wait too', () => {
      const balancer = new DsrBalancer({ pick: () => l2Endpoint });
      const [first, second, third] = piecesOf(query(family));
      const early = balancer.send(second!);
      assert.equal(early.reason, 'held');
      assert.equal(balancer.send(first!).mark, l2Mark);
      const [released] = balancer.released();
      assert.deepEqual([released!.verdict, released!.mark, released!.bytes], [0x21, l2Mark, second!]);
      assert.equal(balancer.send(third!).mark, l2Mark);
    });

    it('of an echo request make an echo reply', () => {
      const { client, vip, icmp } = family;
      const ping = (source: string, destination: string, type: number): Craft => ({
        source,
        destination,
        protocol: 'icmp',
        icmp: [type, 0],
        ttl: 64,
        payload,
      });
      const balancer = make(outsides[0]);
      sendAll(balancer, [craft(query(family))]);
      const { out } = sendAll(
        balancer,
        [3, 0, 1, 2].map((position) => piecesOf(ping(client, vip, icmp.echo))[position]!),
      );
      assert.deepEqual(sorted(out), sorted(piecesOf(ping(vip, client, icmp.reply))));
    });

    it('that are none of ours go on untouched', () => {
      const pieces = piecesOf({ ...query(family), destinationPort: 5353 });
      const balancer = new DsrBalancer();
      for (const piece of pieces) {
        const sent = balancer.send(piece);
        assert.deepEqual([sent.reason, sent.bytes], ['not-ours', piece]);
      }
    });
  });
}
