/**
 * The packet path as the daemon sees it: what it is told, and what it can be asked. The one that there is, with queues
 * and threads, is loaded by whoever opens it; tests have one in memory.
 */
import type { NatFlow } from '../datapath/flow-list.ts';
import type { Traffic } from '../datapath/readings.ts';
import type { NatEndpoint, NatSettings, NatVip } from '../datapath/settings.ts';
import type { Log } from '../model/log.ts';

export interface Datapath {
  /** Rejects with a SluiceError, leaving nothing behind. */
  start(vips: readonly NatVip[]): Promise<void>;
  /** Makes `vips` the truth for every packet from now on. Flows stay. */
  publish(vips: readonly NatVip[]): void | Promise<void>;
  vipTraffic(vip: NatEndpoint): Traffic;
  /** Of an address of backends, over all services that share it. */
  endpointTraffic(endpoint: NatEndpoint): Traffic;
  /** Packets to a VIP that were not sent on, by reason. */
  drops(vip: NatEndpoint): Readonly<Record<string, number>>;
  /** Flows now, `limit` of them at most. */
  flows(limit: number): readonly NatFlow[];
  flowCount(): number;
  /** From now on there are no new flows; those that are there go on. */
  refuse(): void | Promise<void>;
  /** Puts everything back. */
  stop(): Promise<void>;
}

/** Makes a packet path that has not started. */
export type OpenDatapath = (settings: NatSettings, log: Log) => Promise<Datapath>;
