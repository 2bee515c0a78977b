/**
 * The packet path of an instance: one, shared by all its services of mode nat, opened when the first of them comes.
 * What the services want is put together and published whenever one of them has changed, one publication at a time:
 * a change that comes meanwhile waits, with all others that come, for the next.
 */
import { isDeepStrictEqual } from 'node:util';
import { snatAddressesOf } from '../config/nat-findings.ts';
import { defaultFlowTimeouts } from '../conntrack/states.ts';
import { runtimeDirectory } from '../control/path.ts';
import type { Traffic } from '../datapath/readings.ts';
import type { NatEndpoint, NatSettings, NatVip } from '../datapath/settings.ts';
import { formatHostPort } from '../model/address.ts';
import { SluiceError } from '../model/errors.ts';
import type { Log } from '../model/log.ts';
import type { InstanceSpec } from '../model/spec.ts';
import type { FlowState, FlowView } from '../model/view.ts';
import type { Datapath, OpenDatapath } from './datapath.ts';
import type { FlowSource } from './running-service.ts';

/** A service that wants packets. */
export interface VipOwner {
  /** What it serves. */
  vips(): readonly NatVip[];
  /** What it serves no more, but for the flows that are there. */
  leavingVips(): readonly NatVip[];
}

/** Flows that are looked at one by one to see which of them are over. */
const mostCounted = 10_000;

const noTraffic: Traffic = { flows: 0, opened: 0, packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0 };

export class NatPath implements FlowSource {
  readonly #open: OpenDatapath;
  readonly #log: Log;
  readonly #owners = new Set<VipOwner>();
  #settings: NatSettings;
  #datapath: Datapath | undefined;
  /** By address. */
  #published: ReadonlyMap<string, Wanted> = new Map();
  #stale = false;
  #working: Promise<void> | undefined;
  /** Somebody waits for what is under way, and hears of its errors. */
  #awaited = false;
  #refusing = false;
  #stopped = false;

  constructor(spec: InstanceSpec, open: OpenDatapath, log: Log) {
    this.#settings = settingsOf(spec);
    this.#open = open;
    this.#log = log;
  }

  /** Takes the settings of a new specification. Throws ERR_SLUICE_NEEDS_RESTART if they differ and it is running. */
  configure(spec: InstanceSpec): void {
    const settings = settingsOf(spec);
    // Without a service of the mode nothing is said of its sources.
    const wanted = hasNat(spec) ? settings : { ...settings, snatAddresses: this.#settings.snatAddresses };
    if (this.#datapath !== undefined && !isDeepStrictEqual(wanted, this.#settings)) {
      throw new SluiceError(
        'ERR_SLUICE_NEEDS_RESTART',
        `the packet path is running, and ${differences(wanted, this.#settings)} cannot change meanwhile`,
        { remedy: 'take the change back, or stop the instance and start it again' },
      );
    }
    this.#settings = wanted;
  }

  join(owner: VipOwner): void {
    this.#owners.add(owner);
  }

  leave(owner: VipOwner): void {
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

  vipTraffic(vip: NatEndpoint): Traffic {
    return this.#datapath?.vipTraffic(vip) ?? noTraffic;
  }

  endpointTraffic(endpoint: NatEndpoint): Traffic {
    return this.#datapath?.endpointTraffic(endpoint) ?? noTraffic;
  }

  drops(vip: NatEndpoint): Readonly<Record<string, number>> {
    return this.#datapath?.drops(vip) ?? {};
  }

  /** Whether the packets to an address are this service's, and not another's that has taken it over. */
  isOwner(owner: VipOwner, vip: NatEndpoint): boolean {
    return this.#published.get(keyOf(vip))?.owner === owner;
  }

  flows(limit: number): readonly FlowView[] {
    const flows = this.#datapath?.flows(limit) ?? [];
    return flows.map(({ state, ...flow }) => ({
      ...flow,
      service: this.#published.get(`${flow.protocol} ${flow.vip}`)?.vip.service ?? '',
      state: stateOf(state),
      mode: 'nat',
    }));
  }

  /** Flows of a service that are not over; undefined where it would take long to find out. */
  openFlows(service: string): number | undefined {
    const count = this.#datapath?.flowCount() ?? 0;
    if (count > mostCounted) return undefined;
    const ofService = this.flows(count).filter((flow) => flow.service === service);
    return ofService.filter(({ state }) => state !== 'closing').length;
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
    }
  }

  #refuse(datapath: Datapath): void {
    Promise.resolve(datapath.refuse()).catch((error: Error) => {
      this.#log.error('new flows could not be refused', { error: error.message });
    });
  }
}

interface Wanted {
  readonly owner: VipOwner;
  readonly vip: NatVip;
}

/** Each address once: of whoever serves it, else of whoever has flows there. */
function wantedOf(owners: ReadonlySet<VipOwner>): ReadonlyMap<string, Wanted> {
  const all = [...owners];
  const wanted = new Map<string, Wanted>();
  const add = (owner: VipOwner, vips: readonly NatVip[]) => {
    for (const vip of vips) if (!wanted.has(keyOf(vip))) wanted.set(keyOf(vip), { owner, vip });
  };
  for (const owner of all) add(owner, owner.vips());
  for (const owner of all) add(owner, owner.leavingVips());
  return wanted;
}

function keyOf({ protocol, address, port }: NatEndpoint): string {
  return `${protocol} ${formatHostPort(address, port)}`;
}

function stateOf(state: string): FlowState {
  switch (state) {
    case 'syn-sent':
    case 'syn-received':
    case 'udp-new':
      return 'connecting';
    case 'established':
    case 'udp-stream':
      return 'established';
    default:
      return 'closing';
  }
}

function hasNat({ services }: InstanceSpec): boolean {
  return services.some(({ mode }) => mode === 'nat');
}

function settingsOf(spec: InstanceSpec): NatSettings {
  const { workers, snatPorts, maxFlows, onFailure, addVip, timeouts } = spec.nat;
  return {
    name: spec.name,
    directory: runtimeDirectory(),
    workers,
    snatAddresses: snatAddressesOf(spec),
    snatPorts,
    maxFlows,
    onFailure,
    addVip,
    hashSeed: spec.hashSeed,
    timeouts: { ...defaultFlowTimeouts, ...timeouts },
  };
}

/** Settings as the configuration calls them. */
const settingNames: Readonly<Record<keyof NatSettings, string>> = {
  name: 'name',
  directory: 'XDG_RUNTIME_DIR',
  workers: 'workers',
  snatAddresses: 'snat',
  snatPorts: 'snat-ports',
  maxFlows: 'max-flows',
  onFailure: 'on-failure',
  addVip: 'add-vip',
  hashSeed: 'hash-seed',
  timeouts: 'timeouts',
};

function differences(one: NatSettings, other: NatSettings): string {
  const keys = Object.keys(settingNames) as (keyof NatSettings)[];
  return keys
    .filter((key) => !isDeepStrictEqual(one[key], other[key]))
    .map((key) => settingNames[key])
    .join(', ');
}
