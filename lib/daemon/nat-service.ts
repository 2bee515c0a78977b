/**
 * One running service of mode nat: what it wants of the packet path, from its specification, from what people have set
 * and from what the checks have found. The path has the flows and the counters.
 */
import { networkInterfaces } from 'node:os';
import type { Backend } from '../balance/backend.ts';
import type { BackendPool, PoolSettings } from '../balance/pool.ts';
import { natFindings } from '../config/nat-findings.ts';
import type { Traffic } from '../datapath/readings.ts';
import type { NatBackend, NatEndpoint, NatVip } from '../datapath/settings.ts';
import { formatListen } from '../model/address.ts';
import { SluiceError } from '../model/errors.ts';
import type { Listen, ServiceSpec } from '../model/spec.ts';
import type { ServiceView } from '../model/view.ts';
import type { NatPath, VipOwner } from './nat-path.ts';
import type { Addresses } from './resolve.ts';
import type { FlowSource, RunningService, Surroundings } from './running-service.ts';
import { WatchedBackends } from './watched-backends.ts';

/** An address that it serves, and what that comes down to: several where it stands for every address. */
interface Bound {
  readonly listen: Listen;
  readonly at: readonly NatEndpoint[];
}

export class NatService implements RunningService, VipOwner {
  spec: ServiceSpec;
  nowMs: number;
  readonly pool: BackendPool;
  readonly #path: NatPath;
  readonly #surroundings: Surroundings;
  readonly #backends: WatchedBackends;
  #bound: readonly Bound[] = [];
  /** Given up, with flows that go on. */
  #leaving: readonly NatEndpoint[] = [];
  /** Removed, and past their deadline: their flows are to end. */
  readonly #cut = new Set<Backend>();

  /** Makes a service that serves no address and checks nothing yet. */
  constructor(spec: ServiceSpec, addresses: Addresses, path: NatPath, surroundings: Surroundings) {
    this.spec = spec;
    this.nowMs = surroundings.clock.nowMs();
    this.#path = path;
    this.#surroundings = surroundings;
    this.#backends = new WatchedBackends({
      spec,
      settings: poolSettings(spec),
      addresses,
      surroundings,
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

  check(): void {
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

  vips(): readonly NatVip[] {
    const backends = this.pool.backends.map((backend) => this.#wanted(backend));
    return this.#bound.flatMap(({ at }) => at.map((vip) => this.#vip(vip, backends)));
  }

  leavingVips(): readonly NatVip[] {
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
      bytesIn: this.#sumOfVips(({ bytesIn }) => bytesIn),
      bytesOut: this.#sumOfVips(({ bytesOut }) => bytesOut),
      dropped: this.#dropped(),
    };
  }

  #vip(at: NatEndpoint, backends: readonly NatBackend[]): NatVip {
    const { name, balance, nat, whenAllDown } = this.spec;
    return {
      ...at,
      service: name,
      balance,
      snat: nat.snat !== 'none',
      whenDown: nat.whenDown,
      whenAllDown,
      backends,
    };
  }

  #wanted(backend: Backend): NatBackend {
    const { name, address, port, weight, enabled, up } = backend;
    return { name, address, port, weight: enabled ? weight : 0, up: up && !this.#cut.has(backend) };
  }

  /** Brings what is known of the backends' traffic up to date. */
  #observe(): void {
    for (const backend of this.pool.backends) {
      const { address, port } = backend;
      const traffic = this.#protocols().map((protocol) =>
        this.#path.endpointTraffic({ protocol, address, port }),
      );
      const total = (of: (each: Traffic) => number) => sum(traffic.map(of));
      backend.placed = total(({ opened }) => opened);
      backend.bytesIn = total(({ bytesIn }) => bytesIn);
      backend.bytesOut = total(({ bytesOut }) => bytesOut);
      this.pool.setLive(
        backend,
        total(({ flows }) => flows),
      );
      if (backend.live === 0) this.#cut.delete(backend);
    }
  }

  /** Those that are over and not forgotten yet included. */
  #flows(): number {
    return this.#sumOfVips(({ flows }) => flows);
  }

  #protocols() {
    return [...new Set(this.#endpoints().map(({ protocol }) => protocol))];
  }

  #endpoints(): readonly NatEndpoint[] {
    return [...this.#bound.flatMap(({ at }) => at), ...this.#leaving];
  }

  #sumOfVips(of: (traffic: Traffic) => number): number {
    return sum(this.#endpoints().map((vip) => of(this.#path.vipTraffic(vip))));
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

/** Throws ERR_SLUICE_UNROUTABLE for addresses, now that names have become such, between which packets cannot go. */
export function requireRoutable(services: readonly ServiceSpec[], addresses: Addresses): void {
  const resolved = services.map((service) => ({
    ...service,
    listen: service.listen.map((listen) => ({ ...listen, host: addresses(listen.host) })),
    backends: service.backends.map((backend) => ({ ...backend, host: addresses(backend.host) })),
  }));
  const [finding] = natFindings(resolved, undefined);
  if (finding === undefined) return;
  const { message, remedy } = finding;
  throw new SluiceError('ERR_SLUICE_UNROUTABLE', message, remedy === undefined ? {} : { remedy });
}

/** Where packets for it come to. Throws ERR_SLUICE_NO_ADDRESS where every address of a machine without one is meant. */
function endpointsAt({ protocol, host, port }: Listen, addresses: Addresses): readonly NatEndpoint[] {
  if (host !== '') return [{ protocol, address: addresses(host), port }];
  const own = Object.values(networkInterfaces())
    .flatMap((each) => each ?? [])
    .filter(({ internal, address }) => !internal && !/^fe[89ab]/i.test(address));
  if (own.length === 0) {
    throw new SluiceError('ERR_SLUICE_NO_ADDRESS', 'this machine has no address that clients could use', {
      remedy: 'write the address of the VIP, and add it to an interface with --add-vip',
    });
  }
  return own.map(({ address }) => ({ protocol, address, port }));
}

function keyOf({ protocol, address, port }: NatEndpoint): string {
  return `${protocol} ${address} ${port}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function poolSettings({ balance, whenAllDown }: ServiceSpec): PoolSettings {
  return { balance, whenAllDown, maxConnections: 0 };
}
