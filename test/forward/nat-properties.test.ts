/** What must hold of the NAT data path whatever comes. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FlowClass, FlowState } from '../../lib/conntrack/states.ts';
import { reasonNames, verdictOfReason } from '../../lib/forward/reasons.ts';
import { type Craft, craft, type Seen, see } from '../packet/craft.ts';
import { Balancer, type Family, families } from './balancer.ts';
import { batchSize } from './packet-path.ts';

const anyFamily = fc.constantFrom<Family>(...families);
const payload = fc.uint8Array({ maxLength: 60 });

/** The packet with its two ends changed over, as a peer would answer it. */
function mirrored(
  { source, destination, sourcePort, destinationPort }: Seen,
  what: Partial<Craft>,
): Uint8Array {
  return craft({
    source: destination,
    destination: source,
    sourcePort: destinationPort!,
    destinationPort: sourcePort!,
    ...what,
  });
}

describe('rewriting and rewriting back', () => {
  it('is the identity: what the backend echoes reaches the client as an echo of what it sent', () => {
    const udp = fc.boolean();
    const port = fc.integer({ min: 1, max: 65_535 });
    fc.assert(
      fc.property(anyFamily, udp, fc.boolean(), port, payload, (family, isUdp, snat, sourcePort, data) => {
        const destinationPort = isUdp ? (snat ? 53 : 54) : snat ? 80 : 81;
        const what: Partial<Craft> = { protocol: isUdp ? 'udp' : 'tcp', payload: data };
        const balancer = new Balancer();
        const request = craft({
          ...what,
          source: family.client,
          destination: family.vip,
          sourcePort,
          destinationPort,
          flags: 'S',
        });
        const there = balancer.send(request);
        assert.equal(there.reason, 'forwarded');
        const echoed = mirrored(see(there.bytes), { ...what, flags: 'SA' });
        const back = balancer.send(echoed);
        assert.equal(back.reason, 'forwarded');
        assert.deepEqual(back.bytes, mirrored(see(request), { ...what, flags: 'SA' }));
      }),
    );
  });
});

describe('any bytes at all', () => {
  const scrambled = fc
    .tuple(
      anyFamily,
      fc.constantFrom('tcp', 'udp', 'icmp' as const),
      fc.constantFrom(80, 81, 53, 54, 2000, 9000),
      fc.boolean(),
      payload,
      fc.array(fc.tuple(fc.nat(100), fc.nat(255)), { maxLength: 4 }),
      fc.option(fc.tuple(fc.nat(3), fc.nat(3), fc.nat(4)), { nil: undefined, freq: 3 }),
    )
    .map(([family, protocol, destinationPort, toSnat, data, changes, piece]) => {
      const fragment =
        piece === undefined
          ? {}
          : { fragment: { id: piece[0], from: piece[1] * 8, to: (piece[1] + piece[2] + 1) * 8 } };
      const bytes = craft({
        source: toSnat ? family.backend : family.client,
        destination: toSnat ? family.snat : family.vip,
        sourcePort: 9000,
        destinationPort,
        protocol: protocol as 'tcp',
        flags: 'S',
        payload: data,
        ...fragment,
      });
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      return bytes;
    });
  const anyBytes = fc.oneof(fc.uint8Array({ maxLength: 120 }), scrambled, scrambled, scrambled);
  const traffic = fc.array(fc.tuple(anyBytes, fc.constantFrom(0, 0, 0, 1, 2, 3, 0x80), fc.nat(300)), {
    minLength: 1,
    maxLength: 30,
  });

  it('throw nothing, touch nothing around them, and get one verdict each', () => {
    fc.assert(
      fc.property(traffic, (packets) => {
        const balancer = new Balancer({ heldPlaces: 4 });
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
        }
        balancer.wait(1_000);
        for (const released of balancer.released()) note(released.id);
        for (let id = firstId; id < balancer.nextId; id++) assert.equal(verdicts.get(id), 1, `packet ${id}`);
        assert.equal(verdicts.size, packets.length);
      }),
      { numRuns: 200 },
    );
  });

  it('have the same fate whatever stands around them', () => {
    fc.assert(
      fc.property(traffic, (packets) => {
        const run = (poison: number) => {
          const balancer = new Balancer();
          return packets.map(([bytes, flags]) => balancer.send(bytes, flags, poison));
        };
        assert.deepEqual(run(0x00), run(0xff));
      }),
      { numRuns: 100 },
    );
  });

  it('leave the table in order: counts agree with rows, keys with flows', () => {
    fc.assert(
      fc.property(traffic, (packets) => {
        const balancer = new Balancer();
        for (const [bytes, flags, waitMs] of packets) {
          balancer.nowMs += waitMs * 100;
          balancer.send(bytes, flags);
        }
        const { rows } = balancer.tracker;
        let live = 0;
        for (let flow = 1; flow < rows.capacity; flow++) if (rows.stateOf(flow) !== FlowState.free) live += 1;
        const counted = [FlowClass.halfOpen, FlowClass.live, FlowClass.closing].map((of) => rows.counts[of]!);
        assert.equal(
          counted.reduce((sum, count) => sum + count),
          live,
        );
        assert.equal(
          rows.flowsOfVip.reduce((sum, count) => sum + count),
          live,
        );
        assert.equal(
          rows.flowsOfEndpoint.reduce((sum, count) => sum + count),
          live,
        );
        assert.equal(rows.slots.filter((slot) => slot !== 0).length, 2 * live);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a packet that goes on', () => {
  it('has right checksums if it came with right ones', () => {
    const client = fc.nat(9);
    const step = fc.tuple(
      anyFamily,
      client,
      fc.constantFrom('S', 'A', 'PA', 'FA', 'R'),
      fc.boolean(),
      payload,
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const balancer = new Balancer();
        for (const [family, sourcePort, flags, isUdp, data] of steps) {
          const sent = balancer.send(
            craft({
              source: family.client,
              destination: family.vip,
              sourcePort: sourcePort + 1,
              destinationPort: isUdp ? 53 : 80,
              protocol: isUdp ? 'udp' : 'tcp',
              flags,
              payload: data,
            }),
          );
          if (sent.verdict === 0x11) assert.deepEqual(see(sent.bytes).wrong, []);
        }
      }),
    );
  });

  it('never shares the answer key of another flow', () => {
    const step = fc.tuple(anyFamily, fc.nat(150), fc.constantFrom(80, 81), fc.integer({ min: 0, max: 1 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 250 }), (steps) => {
        const balancer = new Balancer({ halfOpenQuota: 1_000, halfOpenGraceMs: 1e9 });
        const owners = new Map<string, string>();
        for (const [family, sourcePort, destinationPort, other] of steps) {
          balancer.picks = () => (other === 1 ? family.otherEndpoint : family.endpoint);
          const ends = {
            source: family.client,
            destination: family.vip,
            sourcePort: sourcePort + 1,
            destinationPort,
          };
          const sent = balancer.send(craft({ ...ends, flags: 'S' }));
          if (sent.reason !== 'forwarded') continue;
          const { source, destination, sourcePort: port } = see(sent.bytes);
          const key = `${source} ${port} ${destination}`;
          const owner = JSON.stringify(ends);
          assert.equal(owners.get(key) ?? owner, owner);
          owners.set(key, owner);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('packets that come together', () => {
  it('have the fate that they would have one by one', () => {
    const packet = fc
      .tuple(
        anyFamily,
        fc.nat(2),
        fc.constantFrom('S', 'A', 'FA', 'R', 'SA'),
        fc.boolean(),
        fc.boolean(),
        payload,
      )
      .map(([family, port, flags, isUdp, answers, data]) => {
        const protocol = isUdp ? 'udp' : 'tcp';
        const { client, vip, backend, snat } = family;
        return answers
          ? craft({
              source: backend,
              destination: snat,
              sourcePort: 9000,
              destinationPort: 2000 + port,
              flags,
              protocol,
              payload: data,
            })
          : craft({
              source: client,
              destination: vip,
              sourcePort: port + 1,
              destinationPort: isUdp ? 53 : 80,
              flags,
              protocol,
              payload: data,
            });
      });
    fc.assert(
      fc.property(
        fc.array(fc.array(packet, { minLength: 1, maxLength: batchSize }), { maxLength: 6 }),
        (batches) => {
          const [together, apart] = [new Balancer(), new Balancer()];
          for (const packets of batches) {
            assert.deepEqual(
              together.sendTogether(packets),
              packets.map((one) => apart.send(one)),
            );
          }
        },
      ),
      { numRuns: 100 },
    );
  });
});
