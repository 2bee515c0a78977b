/** A packet path that moves nothing: it notes what it is told, and counts what a test says. */

import type { Datapath } from '../../lib/daemon/datapath.ts';
import type { NatFlow } from '../../lib/datapath/flow-list.ts';
import type { Traffic } from '../../lib/datapath/readings.ts';
import type { NatEndpoint, NatSettings, NatVip } from '../../lib/datapath/settings.ts';
import { formatHostPort } from '../../lib/model/address.ts';

const nothing: Traffic = { flows: 0, opened: 0, packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0 };

export class MemoryDatapath implements Datapath {
  readonly settings: NatSettings;
  /** What is true for packets; undefined before it has started. */
  vips: readonly NatVip[] | undefined;
  publications = 0;
  refusing = false;
  stopped = false;
  /** Awaited by whatever changes something; a test may make it wait or fail. */
  obstacle: () => Promise<void> = async () => undefined;
  readonly list: NatFlow[] = [];
  readonly #traffic = new Map<string, Traffic>();
  readonly #drops = new Map<string, Record<string, number>>();

  constructor(settings: NatSettings) {
    this.settings = settings;
  }

  /** Sets what has gone by an address, of a VIP or a backend. */
  count(address: string, traffic: Partial<Traffic>): void {
    this.#traffic.set(address, { ...nothing, ...traffic });
  }

  drop(address: string, drops: Record<string, number>): void {
    this.#drops.set(address, drops);
  }

  async start(vips: readonly NatVip[]): Promise<void> {
    await this.obstacle();
    this.vips = vips;
  }

  async publish(vips: readonly NatVip[]): Promise<void> {
    this.publications++;
    await this.obstacle();
    this.vips = vips;
  }

  vipTraffic(vip: NatEndpoint): Traffic {
    return this.#traffic.get(nameOf(vip)) ?? nothing;
  }

  endpointTraffic(endpoint: NatEndpoint): Traffic {
    return this.vipTraffic(endpoint);
  }

  drops(vip: NatEndpoint): Readonly<Record<string, number>> {
    return this.#drops.get(nameOf(vip)) ?? {};
  }

  flows(limit: number): readonly NatFlow[] {
    return this.list.slice(0, limit);
  }

  flowCount(): number {
    return this.list.length;
  }

  refuse(): void {
    this.refusing = true;
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }
}

function nameOf({ protocol, address, port }: NatEndpoint): string {
  return `${protocol}://${formatHostPort(address, port)}`;
}
