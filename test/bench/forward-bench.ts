/**
 * What a packet costs in `lib/forward`, kernel and sockets left out: parsing, lookup, state, counters, rewriting and
 * verdict, in batches of 64.
 *
 * known    packets of established flows at random, half of them in each direction
 * request  packets of established flows at random, all of them from clients
 * opening  SYNs of clients not seen before, each in the place of the oldest half-open flow: a flood
 *
 * Times are processor time of this process. What it costs to write the packets into the batch is measured apart and
 * taken off.
 */
import type { FlowRows } from '../../lib/conntrack/flow-rows.ts';
import type { PacketBatch } from '../../lib/forward/batch.ts';
import type { Forwarder } from '../../lib/forward/forwarder.ts';
import { Reason } from '../../lib/forward/reasons.ts';
import { headroom } from '../../lib/packet/encapsulate.ts';
import { craft } from '../packet/craft.ts';
import type { Probe } from './measure.ts';

export const batchSize = 64;
/** A reading takes a fraction of a second. */
export const rounds = 15;
export const few = 1_000;
export const many = 1_000_000;
export const backends = 64;
const packetBytes = 128;
const batchesPerReading = 1 << 12;
const payload = new Uint8Array(18);

export type Transport = 'tcp' | 'udp';
export type Kind = 'known' | 'request' | 'opening';

/** A mode's data path, for one VIP on port 80 and `backends` endpoints. */
export interface World {
  readonly forwarder: Forwarder<unknown>;
  readonly rows: FlowRows;
  readonly tables: { readonly endpointWords: Int32Array };
  readonly seesAnswers: boolean;
}

/** Addresses of a family, and where they and the ports stand in its packets. */
export interface Family {
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

export const families = {
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

/** A forwarder with so many flows, in the state that their third packet leaves them in. */
export class ForwardBench {
  readonly flows: number;
  readonly #family: Family;
  readonly #world: World;
  readonly #batch: PacketBatch;
  readonly #view: DataView;
  readonly #first: Uint8Array;
  readonly #next: Uint8Array;
  readonly #answer: Uint8Array;
  #random = 1;
  #newcomer: number;

  constructor(world: World, family: Family, protocol: Transport, flows: number) {
    this.flows = flows;
    this.#newcomer = flows;
    this.#family = family;
    this.#world = world;
    const { clients, vip, snat, backend } = family;
    const toVip = { source: clients, destination: vip, destinationPort: 80, protocol, payload };
    this.#first = craft({ ...toVip, flags: 'S' });
    this.#next = craft({ ...toVip, flags: 'A', acknowledgement: 1 });
    const answer = { source: backend(0), destination: snat, sourcePort: 9000, protocol, payload };
    this.#answer = craft({ ...answer, flags: 'SA', acknowledgement: 1 });
    const bytes = new Uint8Array(headroom + batchSize * packetBytes);
    this.#view = new DataView(bytes.buffer);
    this.#batch = {
      bytes,
      id: new Uint32Array(batchSize),
      offset: new Uint32Array(batchSize),
      length: new Uint32Array(batchSize),
      mark: new Uint32Array(batchSize),
      hook: new Uint8Array(batchSize),
      flags: new Uint8Array(batchSize),
      verdict: new Uint8Array(batchSize),
    };
    for (let flow = 1; flow <= flows; flow++) {
      this.#one(() => this.#writeOriginal(0, flow, this.#first));
      if (world.seesAnswers) this.#one(() => this.#writeAnswer(0, flow));
      this.#one(() => this.#writeOriginal(0, flow, this.#next));
    }
    // From here on the backends' answers carry data.
    if (protocol === 'tcp') this.#answer[family.transport + 13] = 0x10;
  }

  /** Nanoseconds a packet. */
  costOf(kind: Kind): number {
    const fill = { known: this.#fillKnown, request: this.#fillRequests, opening: this.#fillOpening }[kind];
    const alone = processorNs(() => {
      for (let batch = 0; batch < batchesPerReading; batch++) fill();
    });
    const both = processorNs(() => {
      for (let batch = 0; batch < batchesPerReading; batch++) {
        fill();
        this.#world.forwarder.process(this.#batch, batchSize, 1);
      }
    });
    return (both - alone) / batchesPerReading / batchSize;
  }

  readonly #fillKnown = (): void => {
    for (let index = 0; index < batchSize; index++) {
      const flow = this.#anyFlow();
      if ((this.#random & 4) === 0) this.#writeOriginal(index, flow, this.#next);
      else this.#writeAnswer(index, flow);
    }
  };

  readonly #fillRequests = (): void => {
    for (let index = 0; index < batchSize; index++) this.#writeOriginal(index, this.#anyFlow(), this.#next);
  };

  readonly #fillOpening = (): void => {
    for (let index = 0; index < batchSize; index++) this.#writeOriginal(index, ++this.#newcomer, this.#first);
  };

  #anyFlow(): number {
    this.#random = (Math.imul(this.#random, 1664525) + 1013904223) | 0;
    return ((this.#random >>> 4) % this.flows) + 1;
  }

  #one(write: () => void): void {
    write();
    this.#world.forwarder.process(this.#batch, 1, 1);
    if (this.#world.forwarder.reasons[0] !== Reason.forwarded) throw new Error('a packet was not forwarded');
  }

  /** Rows are given out in order, so that the client of a flow has the number of its row. */
  #writeOriginal(index: number, client: number, packet: Uint8Array): void {
    const at = this.#write(index, packet);
    this.#view.setUint32(at + this.#family.source, (0x64400000 + client) >>> 0);
    this.#view.setUint16(at + this.#family.transport, 1024 + (client & 0x7fff));
  }

  #writeAnswer(index: number, flow: number): void {
    const at = this.#write(index, this.#answer);
    const { rows, tables } = this.#world;
    const endpoint = rows.endpointOf(flow);
    this.#view.setInt32(at + this.#family.source, tables.endpointWords[endpoint * 4 + 3]!);
    this.#view.setUint16(at + this.#family.transport + 2, rows.snatPortOf(flow));
  }

  #write(index: number, packet: Uint8Array): number {
    const at = headroom + index * packetBytes;
    this.#batch.offset[index] = at;
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

/** Readings of what one kind of packet costs. */
export function probe(bench: ForwardBench, kind: Kind): Probe {
  return async () => ({ value: bench.costOf(kind) });
}
