/** One worker's share of mode dsr: its flow table, policies, the forwarder over them, and the packets sent apart. */
import { TokenBuckets } from '../../conntrack/token-buckets.ts';
import { FlowTracker } from '../../conntrack/tracker.ts';
import { Counters } from '../../forward/counters.ts';
import { dsrForwarder } from '../../forward/dsr.ts';
import { DsrTables } from '../../forward/dsr-tables.ts';
import type { Forwarder } from '../../forward/forwarder.ts';
import type { Random } from '../../model/clock.ts';
import { Outlet, type PacketSocket } from '../outlet.ts';
import { Picker } from '../pick.ts';
import { type CommonSettings, fragmentPath, halfOpenGraceMs, halfOpenQuota, type Shard } from '../shard.ts';
import type { ShardMemory } from '../shard-memory.ts';
import type { DsrPublication } from './mode.ts';

export interface DsrShardSettings extends CommonSettings {
  /** Remembered in a second. */
  readonly newFlows: number;
  /** See `DsrParts`. */
  readonly reassembled: boolean;
}

/** A tenth of a second's worth of new flows may come at once. */
const burstShare = 10;

export class DsrShard implements Shard<DsrPublication> {
  readonly forwarder: Forwarder<DsrTables>;
  readonly tracker: FlowTracker;
  readonly #outlet: Outlet;
  readonly #picker: Picker;

  /**
   * Takes over the flows that are in `memory`. `nowMs` is on the scale that `forwarder.process` is told; `openSocket` is
   * called when the first packet of a family is to be sent apart.
   */
  constructor(
    memory: ShardMemory,
    settings: DsrShardSettings,
    publication: DsrPublication,
    random: Random,
    nowMs: number,
    openSocket: (family: 4 | 6) => PacketSocket,
  ) {
    const { shape } = memory;
    const { key, timeouts, hashSeed, batchSize, newFlows, reassembled } = settings;
    const tables = new DsrTables(publication.tables);
    const counters = new Counters(memory.counters, shape);
    const options = { shape, key, timeouts, halfOpenQuota: halfOpenQuota(shape), halfOpenGraceMs };
    this.tracker = new FlowTracker(memory.flows, options, tables, undefined, nowMs);
    this.#outlet = new Outlet(openSocket);
    this.#picker = new Picker({ hashSeed, random }, this.tracker.rows.flowsOfEndpoint);
    this.#picker.use(publication.choices);
    this.forwarder = dsrForwarder({
      tables,
      tracker: this.tracker,
      fragments: fragmentPath(key, counters),
      counters,
      pick: (vip, packet) => this.#picker.pick(vip, packet),
      place: (vip, packet) => this.#picker.place(vip, packet),
      newFlows: new TokenBuckets(1, newFlows, Math.max(1, newFlows / burstShare)),
      udpTimeoutMs: timeouts['udp-stream'],
      outboxes: this.#outlet,
      identification: Math.floor(random() * 0x1_0000),
      reassembled,
      batchSize,
    });
  }

  use(publication: DsrPublication): void {
    this.forwarder.use(new DsrTables(publication.tables));
    this.#picker.use(publication.choices);
  }

  flush(): void {
    this.#outlet.flush();
  }
}
