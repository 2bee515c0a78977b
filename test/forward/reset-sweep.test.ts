import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FlowState } from '../../lib/conntrack/states.ts';
import { Outbox } from '../../lib/forward/outbox.ts';
import { type Outboxes, ResetSweep } from '../../lib/forward/reset-sweep.ts';
import { ForwardingTables, type TablesSpec } from '../../lib/forward/tables.ts';
import { type Seen, see } from '../packet/craft.ts';
import { Balancer, defaultSpec, type Family, families } from './balancer.ts';
import { ack, datagrams, fromBackend, fromClient, handshake } from './rows/row.ts';

class Bench {
  readonly balancer: Balancer;
  readonly outboxes: Outboxes;
  readonly sweep: ResetSweep;
  readonly #family: Family;

  constructor(family: Family, change: Partial<TablesSpec['vips'][number]> = {}, room = 16) {
    const spec = defaultSpec();
    const vips = spec.vips.map((vip) => ({ ...vip, ...change }));
    this.balancer = new Balancer({ spec: { ...spec, vips, endpointDown: new Uint8Array(8) } });
    this.outboxes = { ipv4: new Outbox(room, 1_000), ipv6: new Outbox(room, 1_000) };
    this.sweep = new ResetSweep(this.balancer.tracker, this.#tables(), this.outboxes);
    this.#family = family;
  }

  #tables(): ForwardingTables {
    return new ForwardingTables(this.balancer.spec);
  }

  /** What the checks have found, published. */
  find(down: 0 | 1): void {
    this.balancer.spec.endpointDown[this.#family.endpoint] = down;
    this.sweep.use(this.#tables());
  }

  /** What is sent while it goes on; the outboxes are emptied as often as it likes. */
  sent(): Seen[] {
    const seen: Seen[] = [];
    for (let more = true; more; ) {
      more = this.sweep.advance(this.balancer.nowMs);
      for (const outbox of [this.outboxes.ipv4, this.outboxes.ipv6]) {
        for (let index = 0; index < outbox.count; index++) {
          const at = outbox.offset[index]!;
          seen.push(see(outbox.bytes.slice(at, at + outbox.length[index]!)));
        }
        outbox.clear();
      }
    }
    return seen;
  }

  states(): number[] {
    const { rows } = this.balancer.tracker;
    return [...Array(rows.capacity).keys()]
      .slice(1)
      .map((flow) => rows.stateOf(flow))
      .filter((state) => state !== 0);
  }
}

const short = ({ source, sourcePort, destination, destinationPort, flags, sequence, wrong }: Seen) => [
  `${source} ${sourcePort} → ${destination} ${destinationPort}`,
  flags,
  sequence,
  wrong,
];

for (const family of families) {
  const { client, vip, snat, backend, version } = family;
  const text = (address: string) => see(fromClient(family, { source: address })).source;
  const [c, v, s, b] = [client, vip, snat, backend].map(text);
  const both = [
    [`${v} 80 → ${c} 40000`, 'R', 901, []],
    [`${s} 2000 → ${b} 9000`, 'R', 101, []],
  ];

  describe(`a backend that goes down, over IPv${version}`, () => {
    it('has both ends of its connections told, where they expect the next byte', () => {
      const bench = new Bench(family);
      for (const packet of handshake(family)) bench.balancer.send(packet);
      assert.deepEqual(bench.sent(), []);
      bench.find(1);
      assert.deepEqual(bench.sent().map(short), both);
      assert.deepEqual(bench.sent(), []);
    });

    it('has them told once more after a second, and then the flow is over', () => {
      const bench = new Bench(family);
      for (const packet of handshake(family)) bench.balancer.send(packet);
      bench.find(1);
      bench.sent();
      assert.deepEqual(bench.states(), [FlowState.established]);
      bench.balancer.nowMs += 999;
      assert.deepEqual(bench.sent(), []);
      bench.balancer.nowMs += 1;
      assert.deepEqual(bench.sent().map(short), both);
      assert.deepEqual(bench.states(), [FlowState.reset]);
      bench.balancer.nowMs += 10_000;
      assert.deepEqual(bench.sent(), []);
    });

    it('shows the backend the client where there is no SNAT', () => {
      const bench = new Bench(family);
      const to = { destinationPort: 81 };
      bench.balancer.send(fromClient(family, to));
      bench.balancer.send(fromBackend(family, { destination: client, destinationPort: 40_000 }));
      bench.balancer.send(fromClient(family, { ...to, ...ack }));
      bench.find(1);
      assert.deepEqual(
        bench.sent().map((seen) => short(seen)[0]),
        [`${v} 81 → ${c} 40000`, `${c} 40000 → ${b} 9000`],
      );
    });

    it('is not held against connections of others, half-open ones, or datagrams', () => {
      const bench = new Bench(family);
      bench.balancer.send(fromClient(family, { sourcePort: 40_001 }));
      for (const packet of datagrams(family)) bench.balancer.send(packet);
      bench.balancer.picks = () => family.otherEndpoint;
      bench.balancer.send(fromClient(family, { sourcePort: 40_002 }));
      bench.find(1);
      assert.deepEqual(bench.sent(), []);
    });

    it('has nobody told where flows are to be dropped', () => {
      const bench = new Bench(family, { resetWhenDown: false });
      for (const packet of handshake(family)) bench.balancer.send(packet);
      bench.find(1);
      assert.deepEqual(bench.sent(), []);
      assert.deepEqual(bench.states(), [FlowState.established]);
    });

    it('and comes back before the second time keeps what has outlived the first', () => {
      const bench = new Bench(family);
      for (const packet of handshake(family)) bench.balancer.send(packet);
      bench.find(1);
      bench.sent();
      bench.find(0);
      bench.balancer.nowMs += 1_000;
      assert.deepEqual(bench.sent(), []);
      assert.deepEqual(bench.states(), [FlowState.established]);
    });

    it('with more connections than fit into the outbox has them told a few at a time', () => {
      const bench = new Bench(family, {}, 3);
      for (let number = 0; number < 5; number++) {
        const ports = { sourcePort: 40_000 + number };
        bench.balancer.send(fromClient(family, ports));
        bench.balancer.send(fromBackend(family, { destinationPort: 2_000 + number }));
        bench.balancer.send(fromClient(family, { ...ports, ...ack }));
      }
      bench.find(1);
      const told = bench.sent().map((seen) => short(seen)[0]!);
      assert.equal(new Set(told).size, 10);
    });
  });
}
