/**
 * One running service whose packets pass by a packet path: what it wants of the path, from its specification, from what
 * people have set and from what the checks have found. The path has the flows and the counters.
 */
import type { Backend } from '../balance/backend.ts';
import type { BackendPool, PoolSettings } from '../balance/pool.ts';
import type { Endpoint } from '../datapath/kernel/description.ts';
import type { PathSettings, Vip, VipBackend } from '../datapath/settings.ts';
import { noticeMs } from '../health/schedule.ts';
import { formatListen } from '../model/address.ts';
import type { Listen, ServiceSpec } from '../model/spec.ts';
import type { Traffic } from '../model/traffic.ts';
import type { ServiceView } from '../model/view.ts';
import type { TunnelMouth } from './check-way.ts';
import type { PacketMode } from './packet-modes.ts';
import type { PacketPath, VipOwner } from './packet-path.ts';
import type { Addresses } from './resolve.ts';
import type { FlowSource, RunningService, Surroundings } from './running-service.ts';
import { endpointsAt } from './vips.ts';
import { WatchedBackends } from './watched-backends.ts';

export interface PacketServiceOptions<S extends PathSettings, V extends Vip> {
  readonly spec: ServiceSpec;
  readonly addresses: Addresses;
  readonly path: PacketPath<S, V>;
  readonly mode: PacketMode<V>;
  readonly surroundings: Surroundings;
}

/** An address that it serves, and what that comes down to: several where it stands for every address. */
interface Bound {
  readonly listen: Listen;
  readonly at: readonly Endpoint[];
}

export class PacketService<S extends PathSettings, V extends Vip> implements RunningService, VipOwner<V> {
  spec: ServiceSpec;
  nowMs: number;
  readonly pool: BackendPool;
  readonly #path: PacketPath<S, V>;
  readonly #mode: PacketMode<V>;
  readonly #surroundings: Surroundings;
  readonly #backends: WatchedBackends;
  #bound: readonly Bound[] = [];
  /** Given up, with flows that go on. */
  #leaving: readonly Endpoint[] = [];
  /** Removed, and past their deadline: their flows are to end. */
  readonly #cut = new Set<Backend>();

  /** Makes a service that serves no address and checks nothing yet. */
  constructor({ spec, addresses, path, mode, surroundings }: PacketServiceOptions<S, V>) {
    this.spec = spec;
    this.#mode = mode;
    this.nowMs = surroundings.clock.nowMs();
    this.#path = path;
    this.#surroundings = surroundings;
    this.#backends = new WatchedBackends({
      spec,
      settings: poolSettings(spec),
      addresses,
      surroundings,
      wayOf: (check) => mode.checkWay(this.#mouth, check),
      onDown: () => undefined,
    });
    this.pool = this.#backends.pool;
    this.pool.onRoom = () => path.changed();
    path.join(this);
  }

  get flowSource(): FlowSource {
    return this.#path;
  }

  get flowCount(): number {
    const tracked = this.#flows();
    return tracked === 0 ? 0 : (this.#path.openFlows(this.spec.name) ?? tracked);
  }

  get bound(): readonly Listen[] {
    return this.#bound.map(({ listen }) => listen);
  }

  isBound(listen: Listen): boolean {
    return this.#bound.some((bound) => formatListen(bound.listen) === formatListen(listen));
  }

  bind(listen: Listen, addresses: Addresses): void {
    const at = endpointsAt(listen, addresses);
    const keys = new Set(at.map(keyOf));
    this.#leaving = this.#leaving.filter((vip) => !keys.has(keyOf(vip)));
    this.#bound = [...this.#bound, { listen, at }];
    this.#path.changed();
  }

  unbind(listen: Listen): void {
    const isGone = (bound: Bound) => formatListen(bound.listen) === formatListen(listen);
    this.#leaving = [...this.#leaving, ...this.#bound.filter(isGone).flatMap(({ at }) => at)];
    this.#bound = this.#bound.filter((bound) => !isGone(bound));
    this.#path.changed();
  }

  refuse(): void {
    this.#path.refuse();
  }

  checksOf(backend: Backend): readonly (number | null)[] {
    return this.#backends.checksOf(backend);
  }

  sourcePortsOf(backend: Backend): number | null {
    return this.#path.sourcePorts(this.#vips(), this.#wanted(backend));
  }

  /** Not before packets can go where the checks lead: see `published`. */
  check(): void {}

  published(): void {
    this.#backends.check();
  }

  update(spec: ServiceSpec, addresses: Addresses): readonly Backend[] {
    this.spec = spec;
    // A backend without flows goes at once.
    this.#observe();
    const removed = this.#backends.update(spec, poolSettings(spec), addresses);
    for (const backend of this.#cut) if (!backend.removed) this.#cut.delete(backend);
    this.#bound = this.#bound.map(({ listen }) => ({ listen, at: endpointsAt(listen, addresses) }));
    this.#path.changed();
    return removed;
  }

  tick(): void {
    this.nowMs = this.#surroundings.clock.nowMs();
    const before = this.pool.backends.length + this.#leaving.length;
    this.#observe();
    this.#leaving = this.#leaving.filter(
      (vip) => this.#path.isOwner(this, vip) && this.#path.vipTraffic(vip).flows > 0,
    );
    if (this.pool.backends.length + this.#leaving.length < before) this.#path.changed();
  }

  /** They end as if the backend had gone down. */
  endFlows(backend: Backend): void {
    this.#cut.add(backend);
    this.#path.changed();
  }

  end(): void {
    for (const backend of this.pool.backends) this.#cut.add(backend);
    this.#path.changed();
  }

  close(): void {
    this.pool.onRoom = null;
    this.#backends.close();
    this.#bound = [];
    this.#leaving = [];
    this.#path.leave(this);
  }

  vips(): readonly V[] {
    const backends = this.pool.backends.map((backend) => this.#wanted(backend));
    return this.#bound.flatMap(({ at }) => at.map((vip) => this.#vip(vip, backends)));
  }

  leavingVips(): readonly V[] {
    const backends = this.pool.backends.map((backend) => ({ ...this.#wanted(backend), weight: 0 }));
    return this.#leaving.map((vip) => this.#vip(vip, backends));
  }

  view(): ServiceView {
    const { spec, pool } = this;
    return {
      name: spec.name,
      mode: spec.mode,
      listen: this.bound.map(formatListen).join(','),
      balance: spec.balance,
      backends: spec.backends.length,
      backendsUp: pool.fit,
      flows: this.#flows(),
      queued: 0,
      connections: this.#sumOfVips(({ opened }) => opened),
      packetsIn: this.#sumOfVips(({ packetsIn }) => packetsIn),
      packetsOut: spec.mode === 'dsr' ? null : this.#sumOfVips(({ packetsOut }) => packetsOut),
      bytesIn: this.#sumOfVips(({ bytesIn }) => bytesIn),
      bytesOut: spec.mode === 'dsr' ? null : this.#sumOfVips(({ bytesOut }) => bytesOut),
      dropped: this.#dropped(),
    };
  }

  /** For questions about traffic, which are not about backends. */
  #vips(): readonly V[] {
    return this.#endpoints().map((at) => this.#vip(at, []));
  }

  /** Where tunnels to the backends begin, in a mode that has such. */
  get #mouth(): TunnelMouth {
    return {
      vip: (protocol) => {
        const found = this.#endpoints().find((at) => at.protocol === protocol);
        return found && { host: found.address, port: found.port };
      },
      source: (backend, { host }) => {
        const at = this.#endpoints().find(({ address }) => address === host)!;
        return this.#path.probeFrom(this.#vip(at, []), this.#wanted(backend));
      },
    };
  }

  #vip(at: Endpoint, backends: readonly VipBackend[]): V {
    const { name, balance, whenAllDown } = this.spec;
    return this.#mode.complete({ ...at, service: name, balance, whenAllDown, backends }, this.spec);
  }

  #wanted(backend: Backend): VipBackend {
    const { name, address, port, weight, enabled } = backend;
    // The last known are as good as up.
    const up = (backend.up || this.pool.candidates.includes(backend)) && !this.#cut.has(backend);
    return { name, address, port, weight: enabled ? weight : 0, up };
  }

  /** Brings what is known of the backends' traffic up to date. */
  #observe(): void {
    const vips = this.#vips();
    for (const backend of this.pool.backends) {
      const traffic = this.#path.backendTraffic(vips, this.#wanted(backend));
      backend.placed = traffic.opened;
      backend.packetsIn = traffic.packetsIn;
      backend.packetsOut = traffic.packetsOut;
      backend.bytesIn = traffic.bytesIn;
      backend.bytesOut = traffic.bytesOut;
      this.pool.setLive(backend, traffic.flows);
      if (backend.live === 0) this.#cut.delete(backend);
    }
  }

  /** Those that are over and not forgotten yet included. */
  #flows(): number {
    return this.#sumOfVips(({ flows }) => flows);
  }

  #endpoints(): readonly Endpoint[] {
    return [...this.#bound.flatMap(({ at }) => at), ...this.#leaving];
  }

  #sumOfVips(of: (traffic: Traffic) => number): number {
    return this.#endpoints().reduce((sum, vip) => sum + of(this.#path.vipTraffic(vip)), 0);
  }

  #dropped(): Readonly<Record<string, number>> {
    const dropped: Record<string, number> = {};
    for (const vip of this.#endpoints()) {
      for (const [reason, count] of Object.entries(this.#path.drops(vip))) {
        dropped[reason] = (dropped[reason] ?? 0) + count;
      }
    }
    return dropped;
  }
}

function keyOf({ protocol, address, port }: Endpoint): string {
  return `${protocol} ${address} ${port}`;
}

function poolSettings({ balance, whenAllDown, check }: ServiceSpec): PoolSettings {
  return { balance, whenAllDown, noticeMs: noticeMs(check), maxConnections: 0 };
}
