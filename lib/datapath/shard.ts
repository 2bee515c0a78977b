/**
 * One worker's share of the packet path, put together over shared memory: flow table, fragments, ports, counters and
 * policies. It has no queue and no thread of its own (see loop.ts and worker.ts).
 */
import { FragmentTable } from '../conntrack/fragment-table.ts';
import { type HashKey, TupleHash } from '../conntrack/half-siphash.ts';
import { HeldPackets } from '../conntrack/held-packets.ts';
import { PortPool } from '../conntrack/port-pool.ts';
import type { FlowTimeouts } from '../conntrack/states.ts';
import { FlowTracker } from '../conntrack/tracker.ts';
import { Counters } from '../forward/counters.ts';
import type { Forwarder } from '../forward/forwarder.ts';
import { FragmentPath } from '../forward/fragments.ts';
import { natForwarder } from '../forward/nat.ts';
import { ForwardingTables } from '../forward/tables.ts';
import type { Random } from '../model/clock.ts';
import { Picker } from './pick.ts';
import type { Publication } from './publication.ts';
import type { ShardMemory } from './shard-memory.ts';

/** Fixed for as long as the shard's memory lives. */
export interface ShardSettings {
  /** The secret of the process. */
  readonly key: HashKey;
  /** The key of the policies' hashes: 32 hexadecimal digits. */
  readonly hashSeed: string;
  /** Source ports that are this worker's alone. */
  readonly snatPorts: readonly [first: number, last: number];
  readonly timeouts: FlowTimeouts;
  readonly batchSize: number;
}

/** Half-open flows may fill a quarter of the table, and are safe from newcomers for a while. */
const halfOpenShare = 4;
const halfOpenGraceMs = 3_000;

/** SNAT addresses have numbers below this. */
export const snatLimit = 256;
/** Pairs of endpoint and SNAT address whose ports may be in use at the same time. */
const portBanks = 1_024;

const fragmentedDatagrams = 1_024;
const fragmentLifeMs = 200;
/** Up to jumbo frames. */
const heldPackets = 256;
const heldPacketBytes = 9_216;

export class Shard {
  readonly forwarder: Forwarder<ForwardingTables>;
  readonly #tracker: FlowTracker;
  readonly #ports: PortPool;
  readonly #picker: Picker;
  /** Numbers of the endpoints that ports are kept for. */
  #endpoints: ReadonlySet<number>;

  /** Takes over the flows that are in `memory`. `nowMs` is on the scale that `forwarder.process` is told. */
  constructor(
    memory: ShardMemory,
    settings: ShardSettings,
    publication: Publication,
    random: Random,
    nowMs: number,
  ) {
    const { shape } = memory;
    const { key, timeouts, hashSeed, batchSize } = settings;
    const tables = new ForwardingTables(publication.tables);
    const counters = new Counters(memory.counters, shape);
    const [firstPort, lastPort] = settings.snatPorts;
    this.#ports = new PortPool({
      firstPort,
      lastPort,
      endpoints: shape.endpoints,
      addresses: snatLimit,
      banks: portBanks,
      start: Math.floor(random() * (lastPort - firstPort + 1)),
    });
    const halfOpenQuota = Math.max(1, Math.floor(shape.capacity / halfOpenShare));
    const options = { shape, key, timeouts, halfOpenQuota, halfOpenGraceMs };
    this.#tracker = new FlowTracker(memory.flows, options, tables, this.#ports, nowMs);
    const { flowsOfEndpoint } = this.#tracker.rows;
    this.#picker = new Picker({ hashSeed, random }, flowsOfEndpoint);
    this.#picker.use(publication.choices);
    this.#endpoints = numbersOf(publication);
    const fragments = new FragmentTable(fragmentedDatagrams, new TupleHash(key), fragmentLifeMs);
    const held = new HeldPackets(heldPackets, heldPacketBytes);
    this.forwarder = natForwarder({
      tables,
      tracker: this.#tracker,
      fragments: new FragmentPath(fragments, held, fragmentLifeMs, counters),
      counters,
      pick: (vip, packet) => this.#picker.pick(vip, packet),
      batchSize,
    });
  }

  /** Goes over to another generation between two batches. */
  use(publication: Publication): void {
    this.forwarder.use(new ForwardingTables(publication.tables));
    this.#picker.use(publication.choices);
    const endpoints = numbersOf(publication);
    for (const gone of this.#endpoints) if (!endpoints.has(gone)) this.#ports.retire(gone);
    this.#endpoints = endpoints;
  }
}

function numbersOf({ tables }: Publication): ReadonlySet<number> {
  return new Set(tables.endpoints.map(({ number }) => number));
}
