/**
 * What a packet costs in `lib/forward`, kernel and sockets left out: parsing, lookup, state, counters, translation
 * and verdict, in batches of 64; and what flows take of memory.
 *
 * known    packets of established flows at random, half of them in each direction
 * opening  SYNs of clients not seen before, each in the place of the oldest half-open flow: a flood
 *
 * Times are processor time of this process. What it costs to write the packets into the batch is measured apart and
 * taken off.
 */
import { flowBufferBytes } from '../../lib/conntrack/flow-rows.ts';
import { FragmentTable } from '../../lib/conntrack/fragment-table.ts';
import { TupleHash } from '../../lib/conntrack/half-siphash.ts';
import { HeldPackets } from '../../lib/conntrack/held-packets.ts';
import { PortPool } from '../../lib/conntrack/port-pool.ts';
import { defaultFlowTimeouts } from '../../lib/conntrack/states.ts';
import { FlowTracker } from '../../lib/conntrack/tracker.ts';
import type { PacketBatch } from '../../lib/forward/batch.ts';
import { Counters } from '../../lib/forward/counters.ts';
import { FragmentPath } from '../../lib/forward/fragments.ts';
import { natForwarder } from '../../lib/forward/nat.ts';
import { Reason } from '../../lib/forward/reasons.ts';
import { ForwardingTables } from '../../lib/forward/tables.ts';
import { Protocol } from '../../lib/packet/packet.ts';
import { craft } from '../packet/craft.ts';
import type { Measure, Probe } from './measure.ts';

const batchSize = 64;
const packetBytes = 128;
/** A reading takes a fraction of a second. */
const rounds = 15;
const few = 1_000;
const many = 1_000_000;
const batchesPerReading = 1 << 12;
const backends = 64;
const payload = new Uint8Array(18);

type Transport = 'tcp' | 'udp';
type Kind = 'known' | 'opening';

/** Addresses of a family, and where they and the ports stand in its packets. */
interface Family {
  readonly version: 4 | 6;
  readonly clients: string;
  readonly vip: string;
  readonly snat: string;
  readonly backend: (index: number) => string;
  /** Offsets of the last word of source and destination, and of the transport header. */
  readonly source: number;
  readonly destination: number;
  readonly transport: number;
}

const families = {
  4: {
    version: 4,
    clients: '100.64.0.0',
    vip: '1.2.3.4',
    snat: '10.0.0.1',
    backend: (index) => `10.0.1.${index}`,
    source: 12,
    destination: 16,
    transport: 20,
  },
  6: {
    version: 6,
    clients: '2001:db8:2::',
    vip: '2001:db8::4',
    snat: 'fd00::1',
    backend: (index) => `fd00::1:${index.toString(16)}`,
    source: 20,
    destination: 36,
    transport: 40,
  },
} as const satisfies Readonly<Record<number, Family>>;

function makeForwarder(family: Family, protocol: Transport, flows: number) {
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
  return { forwarder, rows: tracker.rows, tables, bytes: flowBufferBytes(shape) };
}

/** A forwarder with so many flows, in the state that their third packet leaves them in. */
class ForwardBench {
  readonly flows: number;
  readonly bytes: number;
  readonly #family: Family;
  readonly #parts: ReturnType<typeof makeForwarder>;
  readonly #batch: PacketBatch;
  readonly #view: DataView;
  readonly #first: Uint8Array;
  readonly #next: Uint8Array;
  readonly #answer: Uint8Array;
  #random = 1;
  #newcomer: number;

  constructor(family: Family, protocol: Transport, flows: number) {
    this.flows = flows;
    this.#newcomer = flows;
    this.#family = family;
    this.#parts = makeForwarder(family, protocol, flows);
    this.bytes = this.#parts.bytes;
    const { clients, vip, snat, backend } = family;
    const toVip = { source: clients, destination: vip, destinationPort: 80, protocol, payload };
    this.#first = craft({ ...toVip, flags: 'S' });
    this.#next = craft({ ...toVip, flags: 'A', acknowledgement: 1 });
    const answer = { source: backend(0), destination: snat, sourcePort: 9000, protocol, payload };
    this.#answer = craft({ ...answer, flags: 'SA', acknowledgement: 1 });
    const bytes = new Uint8Array(batchSize * packetBytes);
    this.#view = new DataView(bytes.buffer);
    this.#batch = {
      bytes,
      id: new Uint32Array(batchSize),
      offset: Uint32Array.from({ length: batchSize }, (_, index) => index * packetBytes),
      length: new Uint32Array(batchSize),
      mark: new Uint32Array(batchSize),
      hook: new Uint8Array(batchSize),
      flags: new Uint8Array(batchSize),
      verdict: new Uint8Array(batchSize),
    };
    for (let flow = 1; flow <= flows; flow++) {
      this.#one(() => this.#writeOriginal(0, flow, this.#first));
      this.#one(() => this.#writeAnswer(0, flow));
      this.#one(() => this.#writeOriginal(0, flow, this.#next));
    }
    // From here on the backends' answers carry data.
    if (protocol === 'tcp') this.#answer[family.transport + 13] = 0x10;
  }

  /** Nanoseconds a packet. */
  costOf(kind: Kind): number {
    const fill = kind === 'known' ? this.#fillKnown : this.#fillOpening;
    const alone = processorNs(() => {
      for (let batch = 0; batch < batchesPerReading; batch++) fill();
    });
    const both = processorNs(() => {
      for (let batch = 0; batch < batchesPerReading; batch++) {
        fill();
        this.#parts.forwarder.process(this.#batch, batchSize, 1);
      }
    });
    return (both - alone) / batchesPerReading / batchSize;
  }

  readonly #fillKnown = (): void => {
    for (let index = 0; index < batchSize; index++) {
      this.#random = (Math.imul(this.#random, 1664525) + 1013904223) | 0;
      const flow = ((this.#random >>> 4) % this.flows) + 1;
      if ((this.#random & 4) === 0) this.#writeOriginal(index, flow, this.#next);
      else this.#writeAnswer(index, flow);
    }
  };

  readonly #fillOpening = (): void => {
    for (let index = 0; index < batchSize; index++) this.#writeOriginal(index, ++this.#newcomer, this.#first);
  };

  #one(write: () => void): void {
    write();
    this.#parts.forwarder.process(this.#batch, 1, 1);
    if (this.#parts.forwarder.reasons[0] !== Reason.forwarded) throw new Error('a packet was not forwarded');
  }

  /** Rows are given out in order, so that the client of a flow has the number of its row. */
  #writeOriginal(index: number, client: number, packet: Uint8Array): void {
    const at = this.#write(index, packet);
    this.#view.setUint32(at + this.#family.source, (0x64400000 + client) >>> 0);
    this.#view.setUint16(at + this.#family.transport, 1024 + (client & 0x7fff));
  }

  #writeAnswer(index: number, flow: number): void {
    const at = this.#write(index, this.#answer);
    const { rows, tables } = this.#parts;
    const endpoint = rows.endpointOf(flow);
    this.#view.setInt32(at + this.#family.source, tables.endpointWords[endpoint * 4 + 3]!);
    this.#view.setUint16(at + this.#family.transport + 2, rows.snatPortOf(flow));
  }

  #write(index: number, packet: Uint8Array): number {
    const at = index * packetBytes;
    this.#batch.length[index] = packet.length;
    for (let byte = 0; byte < packet.length; byte++) this.#batch.bytes[at + byte] = packet[byte]!;
    return at;
  }
}

function processorNs(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1e3;
}

function probe(bench: ForwardBench, kind: Kind): Probe {
  return async () => ({ value: bench.costOf(kind) });
}

/** A packet of a service that has few flows. */
function alone(version: keyof typeof families, protocol: Transport): Measure {
  return {
    name: `TypeScript, IPv${version} ${protocol}`,
    unit: 'ns/packet',
    floors: [{ atMost: 300 }],
    rounds,
    withContenders(_, take) {
      const bench = new ForwardBench(families[version], protocol, few);
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
      const bench = (flows: number) => probe(new ForwardBench(families[version], protocol, flows), kind);
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
    const { bytes } = new ForwardBench(families[6], 'tcp', many);
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
