/** A proxied TCP service in memory: its backends, its clients, and a clock that moves when a test says so. */
import assert from 'node:assert/strict';
import type { Backend } from '../../lib/balance/backend.ts';
import { BackendPool } from '../../lib/balance/pool.ts';
import { silentLog } from '../../lib/model/log.ts';
import {
  type AllDownPolicy,
  type BalanceName,
  defaultProxySpec,
  type ProxySpec,
} from '../../lib/model/spec.ts';
import { ProxyContext } from '../../lib/proxy/context.ts';
import { searchFlows } from '../../lib/proxy/flow-search.ts';
import { TcpProxy } from '../../lib/proxy/tcp-proxy.ts';
import { hashSeed, repeatable } from '../balance/support.ts';
import { type MemoryBackend, MemoryTcp, type Peer } from '../support/memory-tcp.ts';

export const vip = { host: '198.51.100.1', port: 80 };

export interface Options {
  /** How many; they are called a, b, c, … and lie at 10.0.0.1:80, 10.0.0.2:80, … */
  readonly backends?: number;
  readonly balance?: BalanceName;
  readonly whenAllDown?: AllDownPolicy;
  readonly limits?: Partial<ProxySpec>;
}

/** A service as its flows see it, TCP or UDP. `observed` is what they have said of its backends. */
export function serviceOf({ backends = 2, balance = 'round-robin', ...options }: Options) {
  const { whenAllDown = 'reject' } = options;
  const limits = { ...defaultProxySpec, ...options.limits };
  const { maxConnectionsPerBackend: maxConnections } = limits;
  const settings = { balance, whenAllDown, noticeMs: 0, maxConnections };
  const specs = Array.from({ length: backends }, (_, i) => ({
    name: String.fromCharCode(97 + i),
    host: `10.0.0.${i + 1}`,
    port: 80,
    weight: 1,
  }));
  const pool = new BackendPool({ ...settings, hashSeed, random: repeatable() }, specs, 0);
  const observed: string[] = [];
  const context = new ProxyContext({
    service: 'web',
    pool,
    limits,
    whenAllDown,
    observer: {
      answered: (backend: Backend) => observed.push(`${backend.name} answered`),
      failed: (backend: Backend, code: string) => observed.push(`${backend.name} failed: ${code}`),
    },
    log: silentLog,
    nowMs: 0,
  });
  /** Claims that are held now, of all backends. */
  const live = () => pool.backends.reduce((sum, backend) => sum + backend.live, 0);
  return { pool, context, observed, live };
}

export function tcpService(options: Options = {}) {
  const { pool, context, observed, live } = serviceOf(options);
  const network = new MemoryTcp();
  const proxy = new TcpProxy(context, network);
  pool.onRoom = () => proxy.admit();
  const listener = proxy.listen(vip);
  const [a, b, c] = pool.backends as [Backend, Backend, Backend];

  /** A client's connection, with `text` on its way. Nothing has happened yet but its acceptance. */
  const arrive = (text = '', host?: string): Peer => {
    const peer = network.client(vip.port, host);
    assert.ok(peer !== null);
    return peer.send(text);
  };

  /** The oldest flows. */
  const views = (limit = 1_000) => searchFlows(proxy.flows, { limit }, context).flows;

  return {
    pool,
    context,
    observed,
    live,
    network,
    proxy,
    listener,
    /** The backends of the pool; what becomes of connects to them, and who has accepted, is at `at`. */
    a,
    b,
    c,
    at: (backend: Backend): MemoryBackend => network.backend(backend.host, backend.port),
    arrive,
    /** A client that has sent `text` and everything that follows from it. */
    client(text = '', host?: string): Peer {
      const peer = arrive(text, host);
      network.settle();
      return peer;
    },
    /** The states of all flows, oldest first. */
    states: () => views().map(({ state }) => state),
    views,
    /** Lets time pass, a tick at its end, and everything that follows. */
    passMs(ms: number): void {
      context.nowMs += ms;
      proxy.tick();
      network.settle();
    },
  };
}
