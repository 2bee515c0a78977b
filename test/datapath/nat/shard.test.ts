import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultFlowTimeouts } from '../../../lib/conntrack/states.ts';
import { groupFlows } from '../../../lib/datapath/flow-groups.ts';
import type { FlowNames } from '../../../lib/datapath/flow-names.ts';
import { serve } from '../../../lib/datapath/loop.ts';
import { NatMode, type NatPublication } from '../../../lib/datapath/nat/mode.ts';
import type { NatVip } from '../../../lib/datapath/nat/settings.ts';
import { NatShard, type NatShardSettings } from '../../../lib/datapath/nat/shard.ts';
import type { PacketSocket } from '../../../lib/datapath/outlet.ts';
import { viewWorker } from '../../../lib/datapath/path-view.ts';
import { Readings } from '../../../lib/datapath/readings.ts';
import { createShardMemory, type ShardMemory, Vital } from '../../../lib/datapath/shard-memory.ts';
import type { PacketBatch } from '../../../lib/forward/batch.ts';
import { craft, see } from '../../packet/craft.ts';

const shape = { capacity: 64, vips: 8, endpoints: 8 };
const hashSeed = '000102030405060708090a0b0c0d0e0f';
const settings: NatShardSettings = {
  key: { low: 1, high: 2 },
  hashSeed,
  snatPorts: [61_000, 61_063],
  timeouts: defaultFlowTimeouts,
  batchSize: 8,
};
const backend = { name: 'a', address: '10.0.0.2', port: 9000, weight: 1, up: true };
const vip: NatVip = {
  service: 'web',
  protocol: 'tcp',
  address: '192.0.2.1',
  port: 80,
  balance: 'maglev',
  snat: true,
  whenDown: 'reset',
  whenAllDown: 'reject',
  backends: [backend],
};

/** A queue in memory: what arrives is put in, what was decided comes out. */
class MemoryQueue {
  readonly batch: PacketBatch = {
    bytes: new Uint8Array(20_000),
    id: new Uint32Array(8),
    offset: new Uint32Array(8),
    length: new Uint32Array(8),
    mark: new Uint32Array(8),
    hook: new Uint8Array(8),
    flags: new Uint8Array(8),
    verdict: new Uint8Array(8),
  };
  readonly arrivals: (readonly Uint8Array[])[] = [];
  readonly departures: Uint8Array[] = [];
  /** Called before each receive. */
  onReceive: () => void = () => undefined;
  #nextId = 1;

  /** It stops when it has nothing left. */
  get stopped(): boolean {
    return this.arrivals.length === 0;
  }

  receive(): number {
    this.onReceive();
    const packets = this.arrivals.shift() ?? [];
    packets.forEach((packet, index) => {
      this.batch.bytes.set(packet, index * 2_000);
      this.batch.id[index] = this.#nextId++;
      this.batch.offset[index] = index * 2_000;
      this.batch.length[index] = packet.length;
    });
    return packets.length;
  }

  sendVerdicts(count: number): void {
    for (let index = 0; index < count; index++) {
      const offset = this.batch.offset[index]!;
      this.departures.push(this.batch.bytes.slice(offset, offset + this.batch.length[index]!));
    }
  }
}

class Bench {
  readonly memory: ShardMemory = createShardMemory(shape);
  readonly mode = new NatMode(
    { name: 'edge', hashSeed, workers: 1, snatAddresses: ['10.0.0.1'], snatPorts: settings.snatPorts },
    { vips: 8, endpoints: 8 },
    () => assert.fail('the machine is asked'),
  );
  readonly readings = new Readings([this.memory]);
  publication: NatPublication;
  /** How often the worker has written down what its queue has counted. */
  tallies = 0;
  /** What was sent apart. */
  readonly apart: Uint8Array[] = [];
  readonly socket: PacketSocket = {
    send: (bytes, offsets, lengths, count) => {
      for (let index = 0; index < count; index++) {
        this.apart.push(bytes.slice(offsets[index]!, offsets[index]! + lengths[index]!));
      }
      return count;
    },
  };

  constructor() {
    this.publication = this.publish([vip]);
  }

  publish(vips: readonly NatVip[]): NatPublication {
    const now = { ...this.readings.usage(), refuse: false, firstQueue: 20_480 };
    this.publication = this.mode.publish(vips, now).publication;
    Atomics.store(this.memory.vitals, Vital.published, this.publication.tables.generation);
    return this.publication;
  }

  /** A worker's life: sees these batches and ends. Answers with what left. */
  work(batches: readonly (readonly Uint8Array[])[], onReceive: () => void = () => undefined): Uint8Array[] {
    const { vitals } = this.memory;
    const shard = new NatShard(
      this.memory,
      settings,
      this.publication,
      () => 0.5,
      1_000,
      () => this.socket,
    );
    Atomics.store(vitals, Vital.taken, this.publication.tables.generation);
    const queue = new MemoryQueue();
    queue.arrivals.push(...batches);
    queue.onReceive = onReceive;
    const takeTables = (): void => {
      shard.use(structuredClone(this.publication));
      Atomics.store(vitals, Vital.taken, this.publication.tables.generation);
    };
    const tally = (): void => void this.tallies++;
    serve({ queue, shard, vitals, takeTables, tally, nowMs: () => 2_000 });
    return queue.departures;
  }
}

const syn = craft({
  source: '198.51.100.7',
  destination: '192.0.2.1',
  sourcePort: 4_000,
  destinationPort: 80,
  flags: 'S',
});
const ack = craft({
  source: '198.51.100.7',
  destination: '192.0.2.1',
  sourcePort: 4_000,
  destinationPort: 80,
  flags: 'A',
});

describe("a worker's loop", () => {
  it('sends on what it has rewritten', () => {
    const [sent] = new Bench().work([[syn]]);
    const { source, destination } = see(sent!);
    assert.deepEqual([source, destination], ['10.0.0.1', '10.0.0.2']);
  });

  it('waits for packets, but not while there are flows to end', () => {
    const waits: number[] = [];
    const queue = new MemoryQueue();
    queue.arrivals.push([], [], []);
    const forwarder = {
      behind: false,
      process: () => {
        forwarder.behind = waits.length === 2;
        return 0;
      },
      release: () => 0,
      reasons: new Uint8Array(0),
    };
    const { vitals } = createShardMemory(shape);
    const receive = (timeoutMs: number): number => {
      waits.push(timeoutMs);
      return queue.receive();
    };
    const recorded = {
      batch: queue.batch,
      receive,
      sendVerdicts: () => undefined,
      get stopped() {
        return queue.stopped;
      },
    };
    const nothing = (): void => undefined;
    serve({
      queue: recorded,
      shard: { forwarder },
      vitals,
      takeTables: nothing,
      tally: nothing,
      nowMs: () => 0,
    });
    assert.deepEqual(waits, [100, 100, 0]);
  });

  it('beats its heart, also while nothing comes', () => {
    const bench = new Bench();
    bench.work([[], [], []]);
    assert.equal(bench.memory.vitals[Vital.heartbeat], 3);
  });

  it('writes down what its queue has counted, but not with every batch', () => {
    const bench = new Bench();
    bench.work([[], [syn], []]);
    assert.equal(bench.tallies, 1);
  });

  it('decides over a batch by the tables that were published before it came', () => {
    const bench = new Bench();
    let receives = 0;
    const sent = bench.work([[], [syn]], () => {
      receives++;
      if (receives === 2) bench.publish([{ ...vip, backends: [{ ...backend, address: '10.0.0.3' }] }]);
    });
    assert.equal(see(sent[0]!).destination, '10.0.0.3');
    assert.equal(bench.readings.takenGeneration(), 2);
  });

  it('sends the verdicts over fragments that had waited', () => {
    const bench = new Bench();
    bench.publish([{ ...vip, protocol: 'udp' }]);
    const datagram = {
      source: '198.51.100.7',
      destination: '192.0.2.1',
      sourcePort: 4_000,
      destinationPort: 80,
      protocol: 'udp',
      payload: new Uint8Array(64),
    } as const;
    const first = craft({ ...datagram, fragment: { id: 7, from: 0, to: 40 } });
    const later = craft({ ...datagram, fragment: { id: 7, from: 40 } });
    const sent = bench.work([[later], [first]]);
    assert.deepEqual(
      sent.map((packet) => [see(packet).destination, packet.length]),
      [
        ['10.0.0.2', first.length],
        ['10.0.0.2', later.length],
      ],
    );
  });
});

describe('a shard', () => {
  it('takes over the flows of the one before, with their backends and ports', () => {
    const bench = new Bench();
    const [before] = bench.work([[syn]]);
    const [after] = bench.work([[ack]]);
    assert.deepEqual(see(after!).source, see(before!).source);
    assert.equal(bench.readings.flowCount(), 1);
    assert.equal(bench.readings.traffic('vip', 1).packetsIn, 2);
  });

  it('resets the connections of a backend that goes down at both ends, though nothing comes', () => {
    const bench = new Bench();
    const fromClient = { source: '198.51.100.7', destination: '192.0.2.1', sourcePort: 4_000 };
    const fromBackend = { source: '10.0.0.2', destination: '10.0.0.1', sourcePort: 9_000 };
    const [sent] = bench.work([[syn]]);
    const answer = { ...fromBackend, destinationPort: see(sent!).sourcePort!, acknowledgement: 1 };
    const proof = { ...fromClient, destinationPort: 80, sequence: 1, acknowledgement: 901 };
    const packets = [[craft({ ...answer, flags: 'SA', sequence: 900 })], [craft({ ...proof, flags: 'A' })]];
    let receives = 0;
    bench.work([...packets, []], () => {
      receives++;
      if (receives === 3) bench.publish([{ ...vip, backends: [{ ...backend, up: false }] }]);
    });
    assert.deepEqual(
      bench.apart.map((packet) => [see(packet).destination, see(packet).flags, see(packet).sequence]),
      [
        ['198.51.100.7', 'R', 901],
        ['10.0.0.2', 'R', 1],
      ],
    );
  });

  it('serves the flows of a service that is no more, and opens none', () => {
    const bench = new Bench();
    bench.work([[syn]]);
    bench.publish([]);
    const late = craft({
      source: '198.51.100.7',
      destination: '192.0.2.1',
      sourcePort: 4_001,
      destinationPort: 80,
      flags: 'S',
    });
    const sent = bench.work([[ack], [late]]);
    assert.deepEqual(
      sent.map((packet) => see(packet).destination),
      ['10.0.0.2', '192.0.2.1'],
    );
  });

  it('counts its flows by where they go, but for those that are over', () => {
    const bench = new Bench();
    const fromPort = (sourcePort: number, flags: string, sequence = 0): Uint8Array =>
      craft({
        source: '198.51.100.7',
        destination: '192.0.2.1',
        sourcePort,
        destinationPort: 80,
        flags,
        sequence,
      });
    bench.work([
      [fromPort(1, 'S'), fromPort(2, 'S'), fromPort(3, 'S'), fromPort(4, 'S')],
      [fromPort(4, 'R', 1)],
    ]);
    const names: FlowNames = {
      vips: new Map([[1, vip]]),
      endpoints: new Map([[1, { text: '10.0.0.2:9000', backends: [] }]]),
    };
    const { shards } = bench.readings;
    const [group, ...others] = groupFlows(shards, names, 2, 5_000);
    assert.deepEqual([group!.vip, group!.backend, group!.flows], [vip, '10.0.0.2:9000', 3]);
    assert.deepEqual(
      group!.examples.map(({ client, state }) => [client, state]),
      [
        ['198.51.100.7:1', 'connecting'],
        ['198.51.100.7:2', 'connecting'],
      ],
    );
    assert.deepEqual(others, []);
    assert.deepEqual(groupFlows(shards, { ...names, vips: new Map() }, 2, 5_000), []);
  });

  it('shows how it fares', () => {
    const bench = new Bench();
    bench.work([[syn]]);
    bench.memory.tallies.set([1, 2, 3, 4, 5, 6]);
    const { rows, memory } = bench.readings.shards[0]!;
    const { queue, ...worker } = viewWorker({ rows, memory }, { worker: 2, queue: 65_535, restarts: 3 });
    assert.deepEqual(worker, {
      worker: 2,
      restarts: 3,
      generation: bench.publication.tables.generation,
      flows: 1,
      halfOpen: 1,
      capacity: shape.capacity - 1,
      expired: 0,
      evicted: 0,
    });
    assert.deepEqual(queue, {
      number: 65_535,
      waiting: 0,
      droppedQueueFull: 0,
      droppedBufferFull: 0,
      packets: 1,
      receives: 2,
      sends: 3,
      overruns: 4,
      refused: 5,
      malformed: 6,
    });
    assert.deepEqual([...bench.readings.halfOpenFlows()].slice(0, 3), [0, 1, 0]);
  });

  it('counts what it drops, and why', () => {
    const bench = new Bench();
    bench.work([[ack]]);
    assert.deepEqual(bench.readings.drops(1), { 'no-flow': 1 });
  });
});
