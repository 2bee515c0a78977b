/** What must hold of direct server return whatever comes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FlowClass } from '../../lib/conntrack/states.ts';
import { reasonNames, verdictOfReason } from '../../lib/forward/reasons.ts';
import { decapsulate, TunnelPacket } from '../../lib/packet/decapsulate.ts';
import { craft, see } from '../packet/craft.ts';
import { greWrap, seeTunnel, wrap } from '../packet/tunnels.ts';
import { type Family, families } from './balancer.ts';
import { DsrBalancer, type Outside, outsides } from './dsr-balancer.ts';
import { oneHopOn } from './dsr-rows/row.ts';
import { batchSize } from './packet-path.ts';

const anyFamily = fc.constantFrom<Family>(...families);
const anyOutside = fc.constantFrom<Outside>(...outsides);
const payload = fc.uint8Array({ maxLength: 60 });

/** Packets of clients, of others and of routers, some with bytes changed at random, and bytes at random. */
const anyBytes = (() => {
  const ofClient = fc
    .tuple(
      anyFamily,
      fc.constantFrom('tcp', 'udp', 'icmp' as const),
      fc.constantFrom(80, 53, 81),
      fc.constantFrom(40_000, 40_001, 26_001),
      fc.constantFrom('S', 'A', 'FA', 'R', 'SA', ''),
      payload,
      fc.option(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(4)), { nil: undefined, freq: 3 }),
    )
    .map(([family, protocol, destinationPort, sourcePort, flags, data, piece]) =>
      craft({
        source: family.client,
        destination: family.vip,
        sourcePort,
        destinationPort,
        protocol: protocol as 'tcp',
        icmp: [family.icmp.echo, 0],
        flags,
        payload: data,
        ...(piece === undefined
          ? {}
          : { fragment: { id: piece[0], from: piece[1] * 8, to: (piece[1] + piece[2] + 1) * 8 } }),
      }),
    );
  const ofRouter = fc
    .tuple(anyOutside, ofClient, fc.boolean(), fc.nat(2_000))
    .map(([outside, inner, sized, cut]) =>
      craft({
        source: outside.router,
        destination: outside.source,
        protocol: 'icmp',
        icmp: sized ? outside.icmp.tooBig : [outside.icmp.timeExceeded, 0],
        icmpRest: [0, 0, 5, 0],
        payload: wrap(
          { source: outside.source, destination: outside.backend, protocol: 47 },
          greWrap(inner),
        ).subarray(0, cut),
      }),
    );
  const aboutAnswer = fc.tuple(anyFamily, ofClient).map(([family, quoted]) =>
    craft({
      source: family.router,
      destination: family.vip,
      protocol: 'icmp',
      icmp: family.icmp.tooBig,
      payload: quoted,
    }),
  );
  const some = fc.oneof(ofClient, ofClient, ofRouter, aboutAnswer);
  const changes = fc.array(fc.tuple(fc.nat(140), fc.nat(255)), { maxLength: 4 });
  const scrambled = fc.tuple(some, changes).map(([bytes, changed]) => {
    const copy = bytes.slice();
    for (const [at, value] of changed) if (at < copy.length) copy[at] = value;
    return copy;
  });
  return fc.oneof(fc.uint8Array({ maxLength: 140 }), some, scrambled, scrambled);
})();

const traffic = fc.array(fc.tuple(anyBytes, fc.constantFrom(0, 0, 0, 0x80), fc.nat(300)), {
  minLength: 1,
  maxLength: 30,
});

describe('any bytes at all', () => {
  it('throw nothing, touch nothing around them, and get one verdict each', () => {
    fc.assert(
      fc.property(traffic, anyOutside, fc.nat(3), (packets, outside, outboxPackets) => {
        const balancer = new DsrBalancer({ heldPlaces: 4, outboxPackets, pick: () => outside.endpoint });
        const verdicts = new Map<number, number>();
        const note = (id: number): void => {
          verdicts.set(id, (verdicts.get(id) ?? 0) + 1);
        };
        const firstId = balancer.nextId;
        for (const [bytes, flags, waitMs] of packets) {
          balancer.nowMs += waitMs;
          const id = balancer.nextId;
          const sent = balancer.send(bytes, flags);
          if (sent.verdict !== undefined) {
            assert.equal(sent.verdict, verdictOfReason[reasonNames.indexOf(sent.reason)]);
            note(id);
          }
          for (const released of balancer.released()) note(released.id);
          balancer.sentApart();
        }
        balancer.wait(1_000);
        for (const released of balancer.released()) note(released.id);
        for (let id = firstId; id < balancer.nextId; id++) assert.equal(verdicts.get(id), 1, `packet ${id}`);
        assert.equal(verdicts.size, packets.length);
      }),
      { numRuns: 300 },
    );
  });

  it('are sent on as packets that are well-formed, and come out of the tunnel', () => {
    fc.assert(
      fc.property(traffic, anyOutside, (packets, outside) => {
        const balancer = new DsrBalancer({ pick: () => outside.endpoint });
        const found = new TunnelPacket();
        for (const [bytes, , waitMs] of packets) {
          balancer.nowMs += waitMs;
          const sent = balancer.send(bytes);
          const out = balancer.sentApart();
          if (sent.reason === 'forwarded') out.push(sent.bytes);
          for (const packet of out) {
            const protocol = packet[packet[0]! >> 4 === 6 ? 6 : 9]!;
            if (protocol !== 47) continue;
            const { inner } = seeTunnel(packet);
            // A header checksum that came wrong stays wrong, and is the end of the packet there.
            if (see(inner).wrong.includes('ip')) continue;
            const outcome = decapsulate(
              found,
              new DataView(packet.buffer, packet.byteOffset),
              0,
              packet.length,
            );
            assert.equal(outcome, 0);
          }
        }
      }),
    );
  });

  it('leave the flow table whole', () => {
    fc.assert(
      fc.property(traffic, (packets) => {
        const balancer = new DsrBalancer({
          shape: { capacity: 8, vips: 8, endpoints: 8 },
          halfOpenQuota: 3,
          newFlows: 20,
        });
        for (const [bytes, , waitMs] of packets) {
          balancer.nowMs += waitMs * 100;
          balancer.send(bytes);
          balancer.sentApart();
        }
        const { rows } = balancer.tracker;
        const classes = Object.values(FlowClass).map((flowClass) => rows.counts[flowClass]!);
        const live = classes.reduce((sum, count) => sum + count);
        assert.ok(live < 8);
        for (const counts of [rows.flowsOfVip, rows.flowsOfEndpoint]) {
          assert.equal(
            counts.reduce((sum, count) => sum + count),
            live,
          );
        }
        assert.equal(rows.slots.filter((slot) => slot !== 0).length, live);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a flow', () => {
  it('stays at its backend, while that is up, whatever else comes and whatever is chosen for others', () => {
    const step = fc.record({
      family: anyFamily,
      client: fc.nat(5),
      flags: fc.constantFrom('A', 'PA', 'A'),
      isUdp: fc.boolean(),
      chosen: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const balancer = new DsrBalancer();
        const homes = new Map<string, string>();
        for (const { family, client, flags, isUdp, chosen } of steps) {
          balancer.picks = () => chosen;
          balancer.places = () => chosen;
          const packet = craft({
            source: family.client,
            destination: family.vip,
            sourcePort: 1_024 + client,
            destinationPort: isUdp ? 53 : 80,
            protocol: isUdp ? 'udp' : 'tcp',
            flags,
          });
          const sent = balancer.send(packet);
          const bytes = sent.reason === 'sent-apart' ? balancer.sentApart()[0]! : sent.bytes;
          const { destination, inner } = seeTunnel(bytes);
          assert.deepEqual(inner, oneHopOn(packet));
          const flow = `${family.version} ${client} ${isUdp}`;
          assert.equal(homes.get(flow) ?? destination, destination);
          homes.set(flow, destination);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('packets that come together', () => {
  it('have the fate that they would have one by one', () => {
    const packet = fc
      .tuple(anyFamily, fc.nat(2), fc.constantFrom('S', 'A', 'FA', 'R'), fc.boolean(), payload)
      .map(([family, port, flags, isUdp, data]) =>
        craft({
          source: family.client,
          destination: family.vip,
          sourcePort: port + 1,
          destinationPort: isUdp ? 53 : 80,
          flags,
          protocol: isUdp ? 'udp' : 'tcp',
          payload: data,
        }),
      );
    const batches = fc.array(fc.array(packet, { minLength: 1, maxLength: batchSize }), { maxLength: 6 });
    fc.assert(
      fc.property(batches, anyOutside, (all, outside) => {
        const pick = () => outside.endpoint;
        const [together, apart] = [new DsrBalancer({ pick }), new DsrBalancer({ pick })];
        for (const packets of all) {
          assert.deepEqual(
            together.sendTogether(packets),
            packets.map((one) => apart.send(one)),
          );
          assert.deepEqual(together.sentApart(), apart.sentApart());
        }
      }),
      { numRuns: 100 },
    );
  });
});
