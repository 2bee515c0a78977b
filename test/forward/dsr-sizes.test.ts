/** Packets that do not fit into the tunnel: answered, or cut up, and never let down. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Craft, see } from '../packet/craft.ts';
import { reassemble, reassembleIpv6 } from '../packet/reassemble.ts';
import { seeTunnel } from '../packet/tunnels.ts';
import { type Family, families } from './balancer.ts';
import { DsrBalancer, dsrSpec, mtu, type Outside, outsides } from './dsr-balancer.ts';
import { fromClient, oneHopOn } from './dsr-rows/row.ts';

const [ipv4] = families;

/** A packet of a client that is `length` bytes long all told. */
function ofLength(family: Family, length: number, what: Partial<Craft> = {}): Uint8Array {
  const headers = fromClient(family, what).length;
  const payload = Uint8Array.from({ length: length - headers }, (_, index) => index * 7);
  return fromClient(family, { ...what, payload });
}

function make(outside: Outside, outboxPackets?: number): DsrBalancer {
  return new DsrBalancer({
    pick: () => outside.endpoint,
    spec: { ...dsrSpec(), endpointMtu: new Uint16Array(8).fill(mtu) },
    ...(outboxPackets === undefined ? {} : { outboxPackets }),
  });
}

/** What an ICMP error says of the size that would have been right. */
function mtuIn(error: Uint8Array): number {
  const view = new DataView(error.buffer, error.byteOffset);
  return error[0]! >> 4 === 4 ? view.getUint32(24) : view.getUint32(44);
}

for (const family of families) {
  for (const outside of outsides) {
    const room = mtu - outside.overhead;
    describe(`a packet for a tunnel of ${room} bytes, IPv${family.version} in IPv${outside.version}`, () => {
      it('goes through if it is just as long', () => {
        const packet = ofLength(family, room, { dontFragment: true });
        const balancer = make(outside);
        const sent = balancer.send(packet);
        const bytes = sent.reason === 'sent-apart' ? balancer.sentApart()[0]! : sent.bytes;
        assert.equal(bytes.length, mtu);
        assert.deepEqual(seeTunnel(bytes).inner, oneHopOn(packet));
      });

      it('is answered with the length that goes through if it is longer, and may not be cut up', () => {
        const packet = ofLength(family, room + 1, { dontFragment: true });
        const sent = make(outside).send(packet);
        assert.deepEqual([sent.reason, sent.verdict], ['too-big-sent', 0x11]);
        const seen = see(sent.bytes);
        assert.deepEqual([seen.source, seen.wrong], [see(packet).destination, []]);
        assert.deepEqual([seen.destination, seen.icmp], [see(packet).source, family.icmp.tooBig]);
        assert.equal(mtuIn(sent.bytes), room);
        assert.deepEqual(seen.payload, packet.subarray(0, seen.payload.length), 'quoted as it came');
        assert.ok(seen.payload.length >= 28);
      });

      it('is dropped without a word beyond eight answers at once to one client', () => {
        const balancer = make(outside);
        const packet = ofLength(family, room + 1, { dontFragment: true });
        const reasons = Array.from({ length: 10 }, () => balancer.send(packet).reason);
        assert.deepEqual(reasons, [...new Array<string>(8).fill('too-big-sent'), 'too-big', 'too-big']);
        balancer.nowMs += 1_000;
        assert.equal(balancer.send(packet).reason, 'too-big-sent');
      });

      it('counts for the path that it takes, as it is by now', () => {
        const balancer = make(outside);
        const packet = ofLength(family, 1_400, { dontFragment: true });
        assert.notEqual(balancer.send(packet).reason, 'too-big-sent');
        balancer.spec.endpointMtu[outside.endpoint] = 1_400;
        const sent = balancer.send(packet);
        assert.equal(mtuIn(sent.bytes), 1_400 - outside.overhead);
      });
    });
  }
}

for (const outside of outsides) {
  const { overhead } = outside;
  describe(`an IPv4 packet that may be cut up, for a tunnel over IPv${outside.version}`, () => {
    it('is sent in pieces, each in a packet of its own, which put together are what came', () => {
      const length = fc.integer({ min: mtu - overhead + 1, max: 9_000 });
      const what = fc.record({
        protocol: fc.constantFrom('tcp' as const, 'udp' as const),
        ipOptions: fc.constantFrom([], [137, 7, 4, 10, 0, 0, 1, 0]),
        trafficClass: fc.nat(255),
      });
      fc.assert(
        fc.property(length, what, fc.integer({ min: 576, max: mtu }), (bytes, craft, pathMtu) => {
          const balancer = make(outside);
          balancer.spec.endpointMtu[outside.endpoint] = pathMtu;
          const packet = ofLength(ipv4, bytes, craft);
          const sent = balancer.send(packet);
          assert.deepEqual([sent.reason, sent.verdict], ['sent-apart', 0]);
          const pieces = balancer.sentApart();
          for (const piece of pieces) assert.ok(piece.length <= pathMtu);
          const seen = pieces.map((piece) => seeTunnel(piece));
          for (const { destination, source, trafficClass } of seen) {
            assert.deepEqual(
              [source, destination, trafficClass],
              [outside.source, outside.backend, craft.trafficClass],
            );
          }
          assert.deepEqual(reassemble(seen.map(({ inner }) => inner)), oneHopOn(packet));
        }),
        { numRuns: 60 },
      );
    });

    it('is not sent by halves when there is no room for all of it', () => {
      const balancer = make(outside, 2);
      const packet = ofLength(ipv4, 4_000);
      const sent = balancer.send(packet);
      assert.deepEqual([sent.reason, sent.verdict], ['outbox-full', 0]);
      assert.deepEqual(balancer.sentApart(), []);
      assert.equal(balancer.send(ofLength(ipv4, 2_000)).reason, 'sent-apart');
    });
  });
}

describe('an IPv6 packet of 1280 bytes', () => {
  it('is never refused, and IPv4 under it may cut it up', () => {
    const [outside] = outsides;
    const [, ipv6] = families;
    const balancer = make(outside);
    balancer.spec.endpointMtu[outside.endpoint] = 1_280;
    const packet = ofLength(ipv6, 1_280);
    assert.equal(balancer.send(packet).reason, 'sent-apart');
    const seen = seeTunnel(balancer.sentApart()[0]!);
    assert.equal(seen.dontFragment, false);
    assert.deepEqual(seen.inner, oneHopOn(packet));
    const refused = balancer.send(ofLength(ipv6, 1_281));
    assert.deepEqual([refused.reason, mtuIn(refused.bytes)], ['too-big-sent', 1_280]);
  });

  it('is cut up by us where IPv6 under it takes no more, since nobody else may', () => {
    const [, outside] = outsides;
    const [, ipv6] = families;
    for (const pathMtu of [1_280, 1_300, 1_323]) {
      const balancer = make(outside);
      balancer.spec.endpointMtu[outside.endpoint] = pathMtu;
      const packet = ofLength(ipv6, 1_280);
      assert.equal(balancer.send(packet).reason, 'sent-apart');
      const pieces = balancer.sentApart();
      assert.equal(pieces.length, 2);
      for (const piece of pieces) assert.ok(piece.length <= pathMtu);
      const seen = seeTunnel(reassembleIpv6(pieces));
      assert.deepEqual([seen.source, seen.destination], [outside.source, outside.backend]);
      assert.deepEqual(seen.inner, oneHopOn(packet));
      const refused = balancer.send(ofLength(ipv6, 1_281));
      assert.deepEqual([refused.reason, mtuIn(refused.bytes)], ['too-big-sent', 1_280]);
    }
    const balancer = make(outside);
    balancer.spec.endpointMtu[outside.endpoint] = 1_324;
    assert.equal(balancer.send(ofLength(ipv6, 1_280)).reason, 'forwarded');
  });
});

for (const outside of outsides) {
  describe(`an IPv6 datagram, if they come put together, for a tunnel over IPv${outside.version}`, () => {
    const [, ipv6] = families;

    it('is sent in pieces, as it may have come, which put together are what came', () => {
      fc.assert(
        fc.property(
          fc.integer({ min: mtu - outside.overhead + 1, max: 9_000 }),
          fc.nat(255),
          (bytes, trafficClass) => {
            const balancer = new DsrBalancer({ pick: () => outside.endpoint, reassembled: true });
            const packet = ofLength(ipv6, bytes, { protocol: 'udp', trafficClass });
            assert.equal(balancer.send(packet).reason, 'sent-apart');
            const pieces = balancer.sentApart();
            for (const piece of pieces) assert.ok(piece.length <= mtu);
            const seen = pieces.map((piece) => seeTunnel(piece));
            for (const { destination } of seen) assert.equal(destination, outside.backend);
            assert.deepEqual(reassembleIpv6(seen.map(({ inner }) => inner)), oneHopOn(packet));
          },
        ),
        { numRuns: 40 },
      );
    });

    it('differs in its identification from the one before', () => {
      const balancer = new DsrBalancer({ pick: () => outside.endpoint, reassembled: true });
      const [one, other] = [1, 2].map(() => {
        balancer.send(ofLength(ipv6, 2_000, { protocol: 'udp' }));
        return seeTunnel(balancer.sentApart()[0]!).inner.subarray(44, 48);
      });
      assert.notDeepEqual(one, other);
    });

    it('is not what a long segment of TCP is, which is answered', () => {
      const balancer = new DsrBalancer({ pick: () => outside.endpoint, reassembled: true });
      assert.equal(balancer.send(ofLength(ipv6, 1_500, { protocol: 'tcp' })).reason, 'too-big-sent');
    });
  });
}

describe('an outbox', () => {
  it('that is full drops packets of the other family, and no others', () => {
    const [, ipv6] = outsides;
    const balancer = make(ipv6, 1);
    const [inner4, inner6] = families.map((family) => fromClient(family));
    assert.equal(balancer.send(inner4!).reason, 'sent-apart');
    assert.equal(balancer.send(inner4!).reason, 'outbox-full');
    assert.equal(balancer.send(inner6!).reason, 'forwarded');
    balancer.sentApart();
    assert.equal(balancer.send(inner4!).reason, 'sent-apart');
  });
});
