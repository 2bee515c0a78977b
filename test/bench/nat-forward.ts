/** What a packet costs in mode nat, and what flows take of memory: see forward-bench.ts. */
import { flowBufferBytes } from '../../lib/conntrack/flow-rows.ts';
import { FragmentTable } from '../../lib/conntrack/fragment-table.ts';
import { TupleHash } from '../../lib/conntrack/half-siphash.ts';
import { HeldPackets } from '../../lib/conntrack/held-packets.ts';
import { PortPool } from '../../lib/conntrack/port-pool.ts';
import { defaultFlowTimeouts } from '../../lib/conntrack/states.ts';
import { FlowTracker } from '../../lib/conntrack/tracker.ts';
import { Counters } from '../../lib/forward/counters.ts';
import { FragmentPath } from '../../lib/forward/fragments.ts';
import { natForwarder } from '../../lib/forward/nat.ts';
import { ForwardingTables } from '../../lib/forward/tables.ts';
import { Protocol } from '../../lib/packet/packet.ts';
import {
  backends,
  batchSize,
  type Family,
  ForwardBench,
  families,
  few,
  type Kind,
  many,
  probe,
  rounds,
  type Transport,
} from './forward-bench.ts';
import type { Measure } from './measure.ts';

/** A balancer with room for so many flows. */
function makeNat(family: Family, protocol: Transport, flows: number) {
  const shape = { capacity: 1 << Math.ceil(Math.log2(flows + 1)), vips: 2, endpoints: backends + 1 };
  const [firstPort, lastPort] = [1024, 60_000] as const;
  const tables = new ForwardingTables({
    generation: 1,
    vips: [
      {
        number: 1,
        address: family.vip,
        port: 80,
        protocol: Protocol[protocol],
        retired: false,
        snat: true,
        resetWhenDown: true,
        rejectWhenNone: true,
      },
    ],
    endpoints: Array.from({ length: backends }, (_, index) => ({
      number: index + 1,
      address: family.backend(index + 1),
      port: 9000,
      snats: [1],
      retired: false,
    })),
    snats: [{ number: 1, address: family.snat, retired: false }],
    snatPorts: [firstPort, lastPort],
    endpointDown: new Uint8Array(backends + 1),
  });
  const ports = new PortPool({ firstPort, lastPort, endpoints: backends + 1, addresses: 2, banks: backends });
  const options = {
    shape,
    key: { low: 0x2545f491, high: 0x4f6cdd1d },
    timeouts: defaultFlowTimeouts,
    halfOpenQuota: 16,
    halfOpenGraceMs: 0,
  };
  const tracker = new FlowTracker(new SharedArrayBuffer(flowBufferBytes(shape)), options, tables, ports, 0);
  const counters = new Counters(new SharedArrayBuffer(Counters.bufferBytes(shape)), shape);
  const datagrams = new FragmentTable(1024, new TupleHash(options.key), 200);
  let turn = 0;
  const forwarder = natForwarder({
    tables,
    tracker,
    counters,
    fragments: new FragmentPath(datagrams, new HeldPackets(256, 9216), 200, counters),
    pick: () => (turn++ % backends) + 1,
    batchSize,
  });
  return { forwarder, rows: tracker.rows, tables, seesAnswers: true, bytes: flowBufferBytes(shape) };
}

/** The forwarder of mode nat with so many flows. */
export function natBench(version: keyof typeof families, protocol: Transport, flows: number): ForwardBench {
  return new ForwardBench(makeNat(families[version], protocol, flows), families[version], protocol, flows);
}

/** A packet of a service that has few flows. */
function alone(version: keyof typeof families, protocol: Transport): Measure {
  return {
    name: `TypeScript, IPv${version} ${protocol}`,
    unit: 'ns/packet',
    floors: [{ atMost: 300 }],
    rounds,
    withContenders(_, take) {
      const bench = natBench(version, protocol, few);
      return take(new Map([['sluice', probe(bench, 'known')]]));
    },
  };
}

/** The same with a million. */
function crowded(version: keyof typeof families, protocol: Transport, kind: Kind): Measure {
  return {
    name: `TypeScript, ${kind}, 1,000,000 flows, IPv${version} ${protocol}`,
    unit: 'ns/packet',
    floors: [{ against: '1,000 flows', atMost: 2 }],
    rounds,
    withContenders(_, take) {
      const bench = (flows: number) => probe(natBench(version, protocol, flows), kind);
      return take(
        new Map([
          ['sluice', bench(many)],
          ['1,000 flows', bench(few)],
        ]),
      );
    },
  };
}

/** All that is kept for flows, in a table with room for as many. */
const memory: Measure = {
  name: 'memory of 1,000,000 flows',
  unit: 'MB',
  floors: [{ atMost: 128 }],
  rounds: 1,
  withContenders(_, take) {
    const { bytes } = makeNat(families[6], 'tcp', many);
    return take(new Map([['sluice', async () => ({ value: bytes / 1e6 })]]));
  },
};

export const forwardMeasures: readonly Measure[] = [
  alone(4, 'udp'),
  alone(6, 'tcp'),
  crowded(4, 'udp', 'known'),
  crowded(6, 'tcp', 'known'),
  crowded(4, 'tcp', 'opening'),
  memory,
];
