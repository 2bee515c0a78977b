/** One running service of mode proxy: its listeners, its backends and what watches over them. */
import type { Backend } from '../balance/backend.ts';
import type { BackendPool, PoolSettings } from '../balance/pool.ts';
import { reasonOfCode } from '../health/reason.ts';
import { noticeMs } from '../health/schedule.ts';
import { formatHostPort, formatListen } from '../model/address.ts';
import { type FlowQuery, needsRates } from '../model/flow-query.ts';
import type { HostPort, Listen, Protocol, ServiceSpec } from '../model/spec.ts';
import type { FlowsView, ServiceView } from '../model/view.ts';
import { ProxyContext } from '../proxy/context.ts';
import type { BackendFlows } from '../proxy/flow-groups.ts';
import { FlowMeter } from '../proxy/flow-meter.ts';
import { searchFlows } from '../proxy/flow-search.ts';
import type { ProxiedFlow } from '../proxy/flow-view.ts';
import { nodeTcp } from '../proxy/socket/node-tcp.ts';
import type { Listener } from '../proxy/socket/stream.ts';
import { udp } from '../proxy/socket/udp.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { UdpProxy } from '../proxy/udp-proxy.ts';
import type { Addresses } from './resolve.ts';
import type { FlowGroup, FlowSource, RunningService, Surroundings } from './running-service.ts';
import { WatchedBackends } from './watched-backends.ts';

interface Bound {
  /** As it was asked for, perhaps with port 0. */
  readonly listen: Listen;
  readonly listener: Listener;
}

export class ProxyService implements RunningService, FlowSource {
  spec: ServiceSpec;
  readonly pool: BackendPool;
  readonly #context: ProxyContext;
  readonly #tcp: TcpProxy;
  readonly #udp: UdpProxy;
  readonly #surroundings: Surroundings;
  readonly #backends: WatchedBackends;
  readonly #meter = new FlowMeter();
  #bound: readonly Bound[] = [];

  /** Makes a service that is not bound and checks nothing yet. */
  constructor(spec: ServiceSpec, addresses: Addresses, surroundings: Surroundings) {
    const { clock, log } = surroundings;
    this.spec = spec;
    this.#surroundings = surroundings;
    const backends = new WatchedBackends({
      spec,
      settings: poolSettings(spec),
      addresses,
      surroundings,
      onDown: (backend) => this.#udp.moveSessions(backend),
    });
    this.#backends = backends;
    this.pool = backends.pool;
    this.#context = new ProxyContext({
      service: spec.name,
      pool: this.pool,
      limits: spec.proxy,
      whenAllDown: spec.whenAllDown,
      observer: {
        answered: (backend) => backends.observeSuccess(backend),
        failed: (backend, code) => backends.observeFailure(backend, reasonOfCode(code)),
      },
      log,
      nowMs: clock.nowMs(),
    });
    this.#tcp = new TcpProxy(this.#context, nodeTcp);
    this.#udp = new UdpProxy(this.#context, udp);
    this.pool.onRoom = () => this.#tcp.admit();
  }

  get flowSource(): FlowSource {
    return this;
  }

  get flowCount(): number {
    return this.#tcp.flows.size + this.#udp.sessionCount;
  }

  get nowMs(): number {
    return this.#context.nowMs;
  }

  get bound(): readonly Listen[] {
    return this.#bound.map(({ listen }) => listen);
  }

  isBound(listen: Listen): boolean {
    return this.#bound.some((bound) => isSame(bound.listen, listen));
  }

  bind(listen: Listen, addresses: Addresses): void {
    const at = { host: addresses(listen.host), port: listen.port };
    const listener = listen.protocol === 'tcp' ? this.#tcp.listen(at) : this.#udp.listen(at);
    this.#bound = [...this.#bound, { listen, listener }];
  }

  /** TCP connections go on; UDP sessions end, for want of a way to answer. */
  unbind(listen: Listen): void {
    for (const bound of this.#bound) if (isSame(bound.listen, listen)) bound.listener.close();
    this.#bound = this.#bound.filter((bound) => !isSame(bound.listen, listen));
  }

  refuse(): void {
    for (const { listener } of this.#bound) listener.refuse();
  }

  checksOf(backend: Backend): readonly (number | null)[] {
    return this.#backends.checksOf(backend);
  }

  /** The kernel gives them. */
  sourcePortsOf(): null {
    return null;
  }

  check(): void {
    this.#backends.check();
  }

  update(spec: ServiceSpec, addresses: Addresses): readonly Backend[] {
    this.spec = spec;
    this.#context.limits = spec.proxy;
    this.#context.whenAllDown = spec.whenAllDown;
    const removed = this.#backends.update(spec, poolSettings(spec), addresses);
    this.#backends.check();
    this.#tcp.admit();
    return removed;
  }

  tick(): void {
    this.#context.nowMs = this.#surroundings.clock.nowMs();
    this.#tcp.tick();
    this.#udp.tick();
  }

  endFlows(backend: Backend): void {
    this.#tcp.endFlows(backend);
    this.#udp.endSessions(backend);
  }

  end(): void {
    this.close();
  }

  close(): void {
    // The room that the first flows leave is not for those that end next.
    this.pool.onRoom = null;
    for (const listen of this.bound) this.unbind(listen);
    this.#backends.close();
    this.#tcp.endFlows();
    this.#udp.endSessions();
  }

  flows(query: FlowQuery): FlowsView {
    if (needsRates(query)) this.#meter.look(this.#flows(), this.nowMs);
    return searchFlows(this.#flows(), query, this.#context);
  }

  groups(examples: number): readonly FlowGroup[] {
    const { name, mode } = this.spec;
    const group = (protocol: Protocol, vip: HostPort | null, { backend, ...others }: BackendFlows) => ({
      ...others,
      service: name,
      mode,
      protocol,
      vip,
      backend:
        backend === null ? null : { address: formatHostPort(backend.host, backend.port), name: backend.name },
    });
    return [
      ...this.#tcp.groups(examples).map((flows) => group('tcp', null, flows)),
      ...this.#udp.groups(examples).map(({ vip, ...flows }) => group('udp', vip, flows)),
    ];
  }

  view(): ServiceView {
    const { spec, pool } = this;
    const { connections, datagramsIn, datagramsOut, bytesIn, bytesOut, dropped } = this.#context;
    const seesPackets = this.bound.every(({ protocol }) => protocol === 'udp');
    // With the ports that were chosen.
    const listens = this.#bound.map(({ listen, listener }) => ({ ...listen, port: listener.address.port }));
    return {
      name: spec.name,
      mode: spec.mode,
      listen: listens.map(formatListen).join(','),
      balance: spec.balance,
      backends: spec.backends.length,
      backendsUp: pool.fit,
      flows: this.flowCount,
      queued: this.#tcp.queued,
      connections,
      packetsIn: seesPackets ? datagramsIn : null,
      packetsOut: seesPackets ? datagramsOut : null,
      bytesIn,
      bytesOut,
      dropped: { ...dropped },
    };
  }

  *#flows(): Generator<ProxiedFlow> {
    yield* this.#tcp.flows;
    yield* this.#udp.sessions();
  }
}

function isSame(one: Listen, other: Listen): boolean {
  return formatListen(one) === formatListen(other);
}

function poolSettings({ balance, whenAllDown, check, proxy }: ServiceSpec): PoolSettings {
  const { maxConnectionsPerBackend: maxConnections } = proxy;
  return { balance, whenAllDown, noticeMs: noticeMs(check), maxConnections };
}
