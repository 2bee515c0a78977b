/** One running service of mode proxy: its listeners, its backends and what watches over them. */
import type { Backend } from '../balance/backend.ts';
import { BackendPool } from '../balance/pool.ts';
import { reasonOfCode } from '../health/reason.ts';
import { HealthChecker } from '../health/session/checker.ts';
import { probeFor } from '../health/session/probe-for.ts';
import { formatListen } from '../model/address.ts';
import type { Clock, Random } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import type { Listen, ServiceSpec } from '../model/spec.ts';
import { ProxyContext } from '../proxy/context.ts';
import { nodeTcp } from '../proxy/socket/node-tcp.ts';
import { nodeUdp } from '../proxy/socket/node-udp.ts';
import type { Listener } from '../proxy/socket/stream.ts';
import { TcpProxy } from '../proxy/tcp-proxy.ts';
import { UdpProxy } from '../proxy/udp-proxy.ts';
import type { Addresses } from './resolve.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly hashSeed: string;
}

interface Bound {
  /** As it was asked for, perhaps with port 0. */
  readonly listen: Listen;
  readonly listener: Listener;
}

export class ProxyService {
  spec: ServiceSpec;
  readonly pool: BackendPool;
  readonly context: ProxyContext;
  readonly tcp: TcpProxy;
  readonly udp: UdpProxy;

  readonly #surroundings: Surroundings;
  readonly #checkers = new Map<Backend, HealthChecker>();
  #bound: readonly Bound[] = [];

  /** Makes a service that is not bound and checks nothing yet. */
  constructor(spec: ServiceSpec, addresses: Addresses, surroundings: Surroundings) {
    const { clock, random, hashSeed, log } = surroundings;
    this.spec = spec;
    this.#surroundings = surroundings;
    this.pool = new BackendPool({ ...poolSettings(spec), hashSeed, random }, spec.backends, clock.nowMs());
    this.#address(addresses);
    this.context = new ProxyContext({
      service: spec.name,
      pool: this.pool,
      limits: spec.proxy,
      whenAllDown: spec.whenAllDown,
      observer: {
        answered: (backend) => this.#checkers.get(backend)?.observeSuccess(),
        failed: (backend, code) => this.#checkers.get(backend)?.observeFailure(reasonOfCode(code)),
      },
      log,
      nowMs: clock.nowMs(),
    });
    this.tcp = new TcpProxy(this.context, nodeTcp);
    this.udp = new UdpProxy(this.context, nodeUdp);
    this.pool.onRoom = this.#admit;
  }

  get flowCount(): number {
    return this.tcp.flowCount + this.udp.sessionCount;
  }

  /** Where clients reach it, with the ports that were chosen. */
  get listen(): readonly Listen[] {
    return this.#bound.map(({ listen, listener }) => ({ ...listen, port: listener.address.port }));
  }

  /** Its listeners as they were asked for. */
  get bound(): readonly Listen[] {
    return this.#bound.map(({ listen }) => listen);
  }

  isBound(listen: Listen): boolean {
    return this.#bound.some((bound) => isSame(bound.listen, listen));
  }

  /** Begins to accept clients at one more address. Throws a SluiceError. */
  bind(listen: Listen, addresses: Addresses): void {
    const at = { host: addresses(listen.host), port: listen.port };
    const listener = listen.protocol === 'tcp' ? this.tcp.listen(at) : this.udp.listen(at);
    this.#bound = [...this.#bound, { listen, listener }];
  }

  /** Gives an address up. Its TCP connections go on; UDP sessions end, for want of a way to answer. */
  unbind(listen: Listen): void {
    for (const bound of this.#bound) if (isSame(bound.listen, listen)) bound.listener.close();
    this.#bound = this.#bound.filter((bound) => !isSame(bound.listen, listen));
  }

  /** Takes no new clients. */
  refuse(): void {
    for (const { listener } of this.#bound) listener.refuse();
  }

  /** Begins to check the backends. */
  check(): void {
    const unwatched = this.pool.backends.filter(
      (backend) => !this.#checkers.has(backend) && !backend.removed,
    );
    for (const backend of unwatched) this.#watch(backend, unwatched.length);
  }

  /**
   * Adopts a new specification, but for its listeners. Flows stay where they are. Returns the backends that
   * were removed: they take no new flows, and whoever calls ends those they have.
   */
  update(spec: ServiceSpec, addresses: Addresses): readonly Backend[] {
    const checkChanged = JSON.stringify(spec.check) !== JSON.stringify(this.spec.check);
    this.spec = spec;
    this.context.limits = spec.proxy;
    this.context.whenAllDown = spec.whenAllDown;
    // Nobody is admitted to a new backend before it has its address.
    this.pool.onRoom = null;
    const { removed } = this.pool.update(spec.backends, poolSettings(spec), this.#surroundings.clock.nowMs());
    const moved = this.#address(addresses);
    this.pool.onRoom = this.#admit;
    for (const backend of checkChanged ? [...this.#checkers.keys()] : [...removed, ...moved]) {
      this.#unwatch(backend);
    }
    this.check();
    this.tcp.admit();
    return removed;
  }

  /** Moves the service's clock and lets timeouts happen. */
  tick(): void {
    this.context.nowMs = this.#surroundings.clock.nowMs();
    this.tcp.tick();
    this.udp.tick();
  }

  /** Ends the flows of one backend, or all. */
  endFlows(backend?: Backend): void {
    this.tcp.endFlows(backend);
    this.udp.endSessions(backend);
  }

  /** Ends everything. */
  close(): void {
    // The room that the first flows leave is not for those that end next.
    this.pool.onRoom = null;
    for (const listen of this.bound) this.unbind(listen);
    for (const backend of [...this.#checkers.keys()]) this.#unwatch(backend);
    this.endFlows();
  }

  readonly #admit = (): void => this.tcp.admit();

  /** Gives the backends their addresses and returns those that have another one now. */
  #address(addresses: Addresses): readonly Backend[] {
    return this.pool.backends.filter((backend) => {
      const address = backend.removed ? backend.address : addresses(backend.host);
      const isOther = address !== backend.address;
      backend.address = address;
      return isOther;
    });
  }

  #watch(backend: Backend, together: number): void {
    const { clock, random } = this.#surroundings;
    const { check } = this.spec;
    const checker = new HealthChecker({
      target: { host: backend.address, port: backend.port, backendName: backend.name },
      check,
      probe: probeFor(check),
      clock,
      random,
      onVerdict: (up, last) => this.#judge(backend, up, last),
    });
    this.#checkers.set(backend, checker);
    checker.start(together);
    // What an earlier check has found no later one would take back.
    if (check.type === 'none') this.#judge(backend, true, 'unchecked');
  }

  #unwatch(backend: Backend): void {
    this.#checkers.get(backend)?.stop();
    this.#checkers.delete(backend);
  }

  #judge(backend: Backend, up: boolean, last: string): void {
    const { clock, log } = this.#surroundings;
    const turned = backend.up !== up;
    this.pool.setHealth(backend, up, last, clock.nowMs());
    if (!turned) return;
    const fields = { service: this.spec.name, backend: backend.name, reason: last };
    if (up) {
      log.info('backend is up', fields);
      return;
    }
    log.warn('backend is down', fields);
    this.udp.moveSessions(backend);
  }
}

function isSame(one: Listen, other: Listen): boolean {
  return formatListen(one) === formatListen(other);
}

function poolSettings({ balance, whenAllDown, proxy }: ServiceSpec) {
  return { balance, whenAllDown, maxConnections: proxy.maxConnectionsPerBackend };
}
