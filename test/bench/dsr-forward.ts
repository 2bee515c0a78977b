/** What a request costs with direct server return, beside the same in mode nat: see forward-bench.ts. */
import { flowBufferBytes } from '../../lib/conntrack/flow-rows.ts';
import { FragmentTable } from '../../lib/conntrack/fragment-table.ts';
import { TupleHash } from '../../lib/conntrack/half-siphash.ts';
import { HeldPackets } from '../../lib/conntrack/held-packets.ts';
import { defaultFlowTimeouts } from '../../lib/conntrack/states.ts';
import { TokenBuckets } from '../../lib/conntrack/token-buckets.ts';
import { FlowTracker } from '../../lib/conntrack/tracker.ts';
import { Counters } from '../../lib/forward/counters.ts';
import { dsrForwarder } from '../../lib/forward/dsr.ts';
import { DsrTables } from '../../lib/forward/dsr-tables.ts';
import { FragmentPath } from '../../lib/forward/fragments.ts';
import { Outbox } from '../../lib/forward/outbox.ts';
import { Encapsulation } from '../../lib/packet/encapsulate.ts';
import { Protocol } from '../../lib/packet/packet.ts';
import {
  backends,
  batchSize,
  type Family,
  ForwardBench,
  families,
  few,
  many,
  probe,
  rounds,
  type Transport,
  type World,
} from './forward-bench.ts';
import type { Measure } from './measure.ts';
import { natBench } from './nat-forward.ts';

/** A balancer with room for so many flows, and tunnels of the family of the clients. */
function makeDsr(family: Family, protocol: Transport, flows: number): World {
  const shape = { capacity: 1 << Math.ceil(Math.log2(flows + 1)), vips: 2, endpoints: backends + 1 };
  const vip = { number: 1, address: family.vip, port: 80, protocol: Protocol[protocol] };
  const tables = new DsrTables({
    generation: 1,
    vips: [{ ...vip, retired: false, rejectWhenNone: true }],
    endpoints: Array.from({ length: backends }, (_, index) => ({
      number: index + 1,
      address: family.backend(index + 1),
      encapsulation: Encapsulation.gre,
      source: family.snat,
      sourceVariation: 0,
      mark: 0,
      retired: false,
    })),
    endpointDown: new Uint8Array(backends + 1),
    endpointMtu: new Uint16Array(backends + 1).fill(1_500),
    probes: { sources: [family.snat], firstPort: 26_624, endpoints: new Uint16Array(2_048) },
  });
  const options = {
    shape,
    key: { low: 0x2545f491, high: 0x4f6cdd1d },
    timeouts: defaultFlowTimeouts,
    halfOpenQuota: 16,
    halfOpenGraceMs: 0,
  };
  const buffer = new SharedArrayBuffer(flowBufferBytes(shape));
  const tracker = new FlowTracker(buffer, options, tables, undefined, 0);
  const counters = new Counters(new SharedArrayBuffer(Counters.bufferBytes(shape)), shape);
  const datagrams = new FragmentTable(1024, new TupleHash(options.key), 200);
  let turn = 0;
  const pick = () => (turn++ % backends) + 1;
  const forwarder = dsrForwarder({
    tables,
    tracker,
    counters,
    fragments: new FragmentPath(datagrams, new HeldPackets(256, 9216), 200, counters),
    pick,
    place: pick,
    newFlows: new TokenBuckets(1, 1e9, 1e9),
    outboxes: { ipv4: new Outbox(64, 1 << 17), ipv6: new Outbox(64, 1 << 17) },
    reassembled: false,
    udpTimeoutMs: 300_000,
    identification: 0,
    batchSize,
  });
  return { forwarder, rows: tracker.rows, tables, seesAnswers: false };
}

/** The forwarder of mode dsr with so many flows. */
export function dsrBench(version: keyof typeof families, protocol: Transport, flows: number): ForwardBench {
  return new ForwardBench(makeDsr(families[version], protocol, flows), families[version], protocol, flows);
}

function requests(version: keyof typeof families, protocol: Transport, flows: number): Measure {
  return {
    name: `TypeScript, requests, ${flows.toLocaleString('en')} flows, IPv${version} ${protocol}`,
    unit: 'ns/packet',
    floors: [{ against: 'nat', atMost: 1 }],
    rounds,
    withContenders(_, take) {
      return take(
        new Map([
          ['sluice', probe(dsrBench(version, protocol, flows), 'request')],
          ['nat', probe(natBench(version, protocol, flows), 'request')],
        ]),
      );
    },
  };
}

export const dsrForwardMeasures: readonly Measure[] = [
  requests(4, 'udp', few),
  requests(6, 'tcp', few),
  requests(4, 'tcp', many),
];
