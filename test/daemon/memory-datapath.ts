/** A packet path that moves nothing: it notes what it is told, and counts what a test says. */

import type { Datapath } from '../../lib/daemon/datapath.ts';
import type { FlowGroup } from '../../lib/datapath/flow-groups.ts';
import type { FlowEntry, FoundFlows } from '../../lib/datapath/flow-list.ts';
import type { Endpoint } from '../../lib/datapath/kernel/description.ts';
import type { ProbeSource } from '../../lib/datapath/mode.ts';
import type { Vip, VipBackend } from '../../lib/datapath/settings.ts';
import { formatHostPort } from '../../lib/model/address.ts';
import type { FlowQuery } from '../../lib/model/flow-query.ts';
import { addTraffic, noTraffic, type Traffic } from '../../lib/model/traffic.ts';
import type { PathView } from '../../lib/model/view.ts';

export class MemoryDatapath<Settings, V extends Vip> implements Datapath<V> {
  readonly settings: Settings;
  /** What is true for packets; undefined before it has started. */
  vips: readonly V[] | undefined;
  publications = 0;
  /** Of each backend. */
  ports = 4_535;
  refusing = false;
  stopped = false;
  /** Awaited by whatever changes something; a test may make it wait or fail. */
  obstacle: () => Promise<void> = async () => undefined;
  /** Where checks come from, in a mode that has such places. */
  lend: () => ProbeSource | undefined = () => undefined;
  readonly list: FlowEntry[] = [];
  readonly grouped: FlowGroup[] = [];
  readonly #traffic = new Map<string, Traffic>();
  readonly #drops = new Map<string, Record<string, number>>();

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** Sets what has gone by an address, of a VIP or a backend. */
  count(address: string, traffic: Partial<Traffic>): void {
    this.#traffic.set(address, { ...noTraffic, ...traffic });
  }

  drop(address: string, drops: Record<string, number>): void {
    this.#drops.set(address, drops);
  }

  async start(vips: readonly V[]): Promise<void> {
    await this.obstacle();
    this.vips = vips;
  }

  async publish(vips: readonly V[]): Promise<void> {
    this.publications++;
    await this.obstacle();
    this.vips = vips;
  }

  vipTraffic(vip: Endpoint): Traffic {
    return this.#traffic.get(nameOf(vip)) ?? noTraffic;
  }

  probeFrom(): ProbeSource | undefined {
    return this.lend();
  }

  backendTraffic(vips: readonly V[], { address, port }: VipBackend): Traffic {
    const protocols = [...new Set(vips.map(({ protocol }) => protocol))];
    return protocols
      .map((protocol) => this.vipTraffic({ protocol, address, port }))
      .reduce(addTraffic, noTraffic);
  }

  sourcePorts(): number {
    return this.ports;
  }

  view(): Omit<PathView, 'mode'> {
    return { generation: this.publications, halfOpen: {}, workers: [] };
  }

  drops(vip?: Endpoint): Readonly<Record<string, number>> {
    return this.#drops.get(vip === undefined ? '' : nameOf(vip)) ?? {};
  }

  flows({ limit }: FlowQuery): FoundFlows {
    return { flows: this.list.slice(0, limit), matching: this.list.length };
  }

  flowCount(): number {
    return this.list.length;
  }

  groups(): readonly FlowGroup[] {
    return this.grouped;
  }

  snapshot(): never {
    throw new Error('it has no tables');
  }

  refuse(): void {
    this.refusing = true;
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }
}

function nameOf({ protocol, address, port }: Endpoint): string {
  return `${protocol}://${formatHostPort(address, port)}`;
}
