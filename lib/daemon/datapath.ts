/**
 * The packet path of one mode as the daemon sees it: what it is told, and what it can be asked. Those that there are,
 * with queues and threads, are loaded by whoever opens them; tests have one in memory.
 */

import type { DsrSettings, DsrVip } from '../datapath/dsr/settings.ts';
import type { FlowGroup } from '../datapath/flow-groups.ts';
import type { FoundFlows } from '../datapath/flow-list.ts';
import type { Endpoint } from '../datapath/kernel/description.ts';
import type { ProbeSource } from '../datapath/mode.ts';
import type { NatSettings, NatVip } from '../datapath/nat/settings.ts';
import type { Vip, VipBackend } from '../datapath/settings.ts';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import type { FlowQuery } from '../model/flow-query.ts';
import type { Log } from '../model/log.ts';
import type { Traffic } from '../model/traffic.ts';
import type { PathView } from '../model/view.ts';

export interface Datapath<V extends Vip> {
  /** Rejects with a SluiceError, leaving nothing behind. */
  start(vips: readonly V[]): Promise<void>;
  /** Makes `vips` the truth for every packet from now on. Flows stay. */
  publish(vips: readonly V[]): void | Promise<void>;
  vipTraffic(vip: Endpoint): Traffic;
  /** Of a backend at these VIPs, and at those of other services that share it with them. */
  backendTraffic(vips: readonly V[], backend: VipBackend): Traffic;
  /** How many flows a backend can have at these VIPs, each with a source port; null where flows keep the client's. */
  sourcePorts(vips: readonly V[], backend: VipBackend): number | null;
  /** Where a check has to come from for its packets to go the way of clients'; see PathMode. */
  probeFrom(vip: V, backend: VipBackend): ProbeSource | undefined;
  /** Packets to a VIP that were not sent on, by reason; without a VIP, those that were for none. */
  drops(vip?: Endpoint): Readonly<Record<string, number>>;
  flows(query: FlowQuery): FoundFlows;
  flowCount(): number;
  /** Queues, workers and tables. */
  view(): Omit<PathView, 'mode'>;
  /** Flows that are not over by where they go, with up to `examples` of each. */
  groups(examples: number): readonly FlowGroup[];
  /** This moment, with those of the flows that `tuples` are packets of, in either direction. */
  snapshot(tuples: readonly FlowTuple[]): PathSnapshot;
  /** From now on there are no new flows; those that are there go on. */
  refuse(): void | Promise<void>;
  /** Puts everything back. */
  stop(): Promise<void>;
}

/** Makes a packet path that has not started. */
export type OpenDatapath<Settings, V extends Vip> = (settings: Settings, log: Log) => Promise<Datapath<V>>;

/** One for each mode that has a packet path. */
export interface OpenDatapaths {
  readonly nat: OpenDatapath<NatSettings, NatVip>;
  readonly dsr: OpenDatapath<DsrSettings, DsrVip>;
}
