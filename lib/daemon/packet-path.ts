/**
 * The packet path of one mode in an instance: one, shared by all its services of that mode, opened when the first of
 * them comes. What the services want is put together and published whenever one of them has changed, one publication
 * at a time: a change that comes meanwhile waits, with all others that come, for the next.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FlowEntry } from '../datapath/flow-list.ts';
import type { Endpoint } from '../datapath/kernel/description.ts';
import type { ProbeSource } from '../datapath/mode.ts';
import type { PathSettings, Vip, VipBackend } from '../datapath/settings.ts';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import { formatHostPort } from '../model/address.ts';
import { SluiceError } from '../model/errors.ts';
import type { FlowQuery } from '../model/flow-query.ts';
import type { Log } from '../model/log.ts';
import type { Mode } from '../model/spec.ts';
import { noTraffic, type Traffic } from '../model/traffic.ts';
import type { FlowsView, FlowView, PathView } from '../model/view.ts';
import type { Datapath, OpenDatapath } from './datapath.ts';
import { differingSettings } from './path-settings.ts';
import type { FlowGroup, FlowSource } from './running-service.ts';

/** A service that wants packets. */
export interface VipOwner<V extends Vip> {
  /** What it serves. */
  vips(): readonly V[];
  /** What it serves no more, but for the flows that are there. */
  leavingVips(): readonly V[];
  /** Packets go by what it wanted last. */
  published(): void;
}

/** Flows that are looked at one by one to see which of them are over. */
const mostCounted = 10_000;

export class PacketPath<S extends PathSettings, V extends Vip> implements FlowSource {
  readonly mode: Mode;
  readonly #open: OpenDatapath<S, V>;
  readonly #log: Log;
  readonly #owners = new Set<VipOwner<V>>();
  #settings: S;
  #datapath: Datapath<V> | undefined;
  /** By address. */
  #published: ReadonlyMap<string, Wanted<V>> = new Map();
  #stale = false;
  #working: Promise<void> | undefined;
  /** Somebody waits for what is under way, and hears of its errors. */
  #awaited = false;
  #refusing = false;
  #stopped = false;

  constructor(mode: Mode, settings: S, open: OpenDatapath<S, V>, log: Log) {
    this.mode = mode;
    this.#settings = settings;
    this.#open = open;
    this.#log = log;
  }

  get settings(): S {
    return this.#settings;
  }

  /** Takes other settings, which `requireUnchanged` has nothing against. */
  configure(settings: S): void {
    this.#settings = settings;
  }

  /** Throws ERR_SLUICE_NEEDS_RESTART if settings differ and the path is running. */
  requireUnchanged(settings: S): void {
    if (this.#datapath === undefined || isDeepStrictEqual(settings, this.#settings)) return;
    throw new SluiceError(
      'ERR_SLUICE_NEEDS_RESTART',
      `the packet path is running, and ${differingSettings(settings, this.#settings)} cannot change meanwhile`,
      { remedy: 'take the change back, or stop the instance and start it again' },
    );
  }

  join(owner: VipOwner<V>): void {
    this.#owners.add(owner);
  }

  leave(owner: VipOwner<V>): void {
    this.#owners.delete(owner);
    this.changed();
  }

  /** One of the services wants something else. Nothing happens before the first `apply`. */
  changed(): void {
    this.#stale = true;
    if (this.#datapath === undefined || this.#working !== undefined) return;
    this.#run().catch((error: Error) => {
      if (!this.#awaited) this.#log.error('the packet path could not be changed', { error: error.message });
    });
  }

  /** Brings about what the services want, opening the packet path for the first. Rejects with a SluiceError. */
  async apply(): Promise<void> {
    this.#stale = true;
    this.#awaited = true;
    try {
      await this.#run();
    } finally {
      this.#awaited = false;
    }
  }

  /** Takes no new flows, and serves those there are. */
  refuse(): void {
    if (this.#refusing) return;
    this.#refusing = true;
    if (this.#datapath !== undefined) this.#refuse(this.#datapath);
  }

  /** Puts the machine back, once what is under way has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#working?.catch(() => undefined);
    await this.#datapath?.stop();
  }

  vipTraffic(vip: Endpoint): Traffic {
    return this.#datapath?.vipTraffic(vip) ?? noTraffic;
  }

  backendTraffic(vips: readonly V[], backend: VipBackend): Traffic {
    return this.#datapath?.backendTraffic(vips, backend) ?? noTraffic;
  }

  /** See `Datapath.sourcePorts`. */
  sourcePorts(vips: readonly V[], backend: VipBackend): number | null {
    return this.#datapath?.sourcePorts(vips, backend) ?? null;
  }

  /** Where a check has to come from for its packets to go the way of clients'; see PathMode. */
  probeFrom(vip: V, backend: VipBackend): ProbeSource | undefined {
    return this.#datapath?.probeFrom(vip, backend);
  }

  /** Without a VIP those that were for none. */
  drops(vip?: Endpoint): Readonly<Record<string, number>> {
    return this.#datapath?.drops(vip) ?? {};
  }

  /** Whether the packets to an address are this service's, and not another's that has taken it over. */
  isOwner(owner: VipOwner<V>, vip: Endpoint): boolean {
    return this.#published.get(keyOf(vip))?.owner === owner;
  }

  groups(examples: number): readonly FlowGroup[] {
    const groups = this.#datapath?.groups(examples) ?? [];
    return groups.map(({ vip, backend, flows, examples: some }) => ({
      service: vip.service,
      mode: this.mode,
      protocol: vip.protocol,
      vip: { host: vip.address, port: vip.port },
      backend: { address: backend },
      flows,
      examples: some.map((flow) => this.#view(flow)),
    }));
  }

  flows(query: FlowQuery): FlowsView {
    const { flows, matching } = this.#datapath?.flows(query) ?? { flows: [], matching: 0 };
    return { flows: flows.map((flow) => this.#view(flow)), matching };
  }

  /** This moment, with those of the flows that `tuples` are packets of; undefined if it has not been opened. */
  snapshot(tuples: readonly FlowTuple[]): PathSnapshot | undefined {
    return this.#datapath?.snapshot(tuples);
  }

  /** Undefined before there is anything to see. */
  view(): PathView | undefined {
    return this.#datapath && { mode: this.mode, ...this.#datapath.view() };
  }

  /** Flows of a service that are not over; undefined where it would take long to find out. */
  openFlows(service: string): number | undefined {
    const count = this.#datapath?.flowCount() ?? 0;
    if (count > mostCounted) return undefined;
    const ofService = this.flows({ limit: count }).flows.filter((flow) => flow.service === service);
    return ofService.filter(({ state }) => state !== 'closing').length;
  }

  /** What of a flow does not pass here is not known. */
  #view(flow: FlowEntry): FlowView {
    const mode = this.mode;
    if (mode !== 'dsr') return { ...flow, mode };
    const { bytesOutPerSecond, ...others } = flow;
    const rate = bytesOutPerSecond === undefined ? {} : { bytesOutPerSecond: null };
    return { ...others, mode, packetsOut: null, bytesOut: null, ...rate };
  }

  #run(): Promise<void> {
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
    return this.#working;
  }

  async #work(): Promise<void> {
    while (this.#stale && !this.#stopped) {
      // A reload changes one service after another: what is published is the outcome.
      await undefined;
      this.#stale = false;
      const wanted = wantedOf(this.#owners);
      const vips = [...wanted.values()].map(({ vip }) => vip);
      if (this.#datapath !== undefined) {
        await this.#datapath.publish(vips);
      } else {
        if (vips.length === 0) return;
        const datapath = await this.#open(this.#settings, this.#log);
        await datapath.start(vips);
        this.#datapath = datapath;
        if (this.#refusing) this.#refuse(datapath);
      }
      this.#published = wanted;
      for (const owner of this.#owners) owner.published();
    }
  }

  #refuse(datapath: Datapath<V>): void {
    Promise.resolve(datapath.refuse()).catch((error: Error) => {
      this.#log.error('new flows could not be refused', { error: error.message });
    });
  }
}

interface Wanted<V extends Vip> {
  readonly owner: VipOwner<V>;
  readonly vip: V;
}

/** Each address once: of whoever serves it, else of whoever has flows there. */
function wantedOf<V extends Vip>(owners: ReadonlySet<VipOwner<V>>): ReadonlyMap<string, Wanted<V>> {
  const all = [...owners];
  const wanted = new Map<string, Wanted<V>>();
  const add = (owner: VipOwner<V>, vips: readonly V[]) => {
    for (const vip of vips) if (!wanted.has(keyOf(vip))) wanted.set(keyOf(vip), { owner, vip });
  };
  for (const owner of all) add(owner, owner.vips());
  for (const owner of all) add(owner, owner.leavingVips());
  return wanted;
}

function keyOf({ protocol, address, port }: Endpoint): string {
  return `${protocol} ${formatHostPort(address, port)}`;
}
