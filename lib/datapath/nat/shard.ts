/** One worker's share of mode nat: its flow table, source ports, policies and the forwarder over them. */
import { PortPool } from '../../conntrack/port-pool.ts';
import { FlowTracker } from '../../conntrack/tracker.ts';
import { Counters } from '../../forward/counters.ts';
import type { Forwarder } from '../../forward/forwarder.ts';
import { natForwarder } from '../../forward/nat.ts';
import { ResetSweep } from '../../forward/reset-sweep.ts';
import { ForwardingTables } from '../../forward/tables.ts';
import type { Random } from '../../model/clock.ts';
import { Outlet, type PacketSocket } from '../outlet.ts';
import { Picker } from '../pick.ts';
import { type CommonSettings, fragmentPath, halfOpenGraceMs, halfOpenQuota, type Shard } from '../shard.ts';
import type { ShardMemory } from '../shard-memory.ts';
import type { NatPublication } from './mode.ts';

export interface NatShardSettings extends CommonSettings {
  /** Source ports that are this worker's alone. */
  readonly snatPorts: readonly [first: number, last: number];
}

/** SNAT addresses have numbers below this. */
export const snatLimit = 256;
/** Pairs of endpoint and SNAT address whose ports may be in use at the same time. */
const portBanks = 1_024;

export class NatShard implements Shard<NatPublication> {
  readonly forwarder: Forwarder<ForwardingTables>;
  readonly tracker: FlowTracker;
  readonly #ports: PortPool;
  readonly #outlet: Outlet;
  readonly #resets: ResetSweep;
  readonly #picker: Picker;
  /** Numbers of the endpoints that ports are kept for. */
  #endpoints: ReadonlySet<number>;

  /**
   * Takes over the flows that are in `memory`. `nowMs` is on the scale that `forwarder.process` is told; `openSocket` is
   * called when the first packet of a family is to be sent apart.
   */
  constructor(
    memory: ShardMemory,
    settings: NatShardSettings,
    publication: NatPublication,
    random: Random,
    nowMs: number,
    openSocket: (family: 4 | 6) => PacketSocket,
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
    const options = { shape, key, timeouts, halfOpenQuota: halfOpenQuota(shape), halfOpenGraceMs };
    this.tracker = new FlowTracker(memory.flows, options, tables, this.#ports, nowMs);
    this.#outlet = new Outlet(openSocket);
    this.#resets = new ResetSweep(this.tracker, tables, this.#outlet);
    const { flowsOfEndpoint } = this.tracker.rows;
    this.#picker = new Picker({ hashSeed, random }, flowsOfEndpoint);
    this.#picker.use(publication.choices);
    this.#endpoints = numbersOf(publication);
    this.forwarder = natForwarder({
      tables,
      tracker: this.tracker,
      fragments: fragmentPath(key, counters),
      counters,
      pick: (vip, packet) => this.#picker.pick(vip, packet),
      batchSize,
    });
  }

  /** Goes over to another generation between two batches. */
  use(publication: NatPublication): void {
    const tables = new ForwardingTables(publication.tables);
    this.forwarder.use(tables);
    this.#resets.use(tables);
    this.#picker.use(publication.choices);
    const endpoints = numbersOf(publication);
    for (const gone of this.#endpoints) if (!endpoints.has(gone)) this.#ports.retire(gone);
    this.#endpoints = endpoints;
  }

  /** Goes on with the resets of connections whose backends have gone down. */
  tend(nowMs: number): boolean {
    return this.#resets.advance(nowMs);
  }

  flush(): void {
    this.#outlet.flush();
  }
}

function numbersOf({ tables }: NatPublication): ReadonlySet<number> {
  return new Set(tables.endpoints.map(({ number }) => number));
}
