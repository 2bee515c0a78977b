/** A proxied UDP service in memory. */
import type { Backend } from '../../lib/balance/backend.ts';
import { searchFlows } from '../../lib/proxy/flow-search.ts';
import { UdpProxy } from '../../lib/proxy/udp-proxy.ts';
import { type MemoryBoundSocket, MemoryUdp, type MemoryUdpBackend } from '../support/memory-udp.ts';
import { type Options, serviceOf, vip } from './support.ts';

/** A client behind a socket of its own. */
export interface UdpClient {
  send(text: string): void;
  /** All that it was answered, joined by spaces. */
  readonly heard: string;
}

export function udpService(options: Options = {}) {
  const service = serviceOf(options);
  const { pool, context } = service;
  const network = new MemoryUdp();
  const proxy = new UdpProxy(context, network);
  const listener = proxy.listen(vip);
  const [bound] = network.bound as [MemoryBoundSocket];
  const [a, b, c] = pool.backends as [Backend, Backend, Backend];
  let clients = 0;
  return {
    ...service,
    network,
    proxy,
    listener,
    /** The listener's socket. */
    bound,
    a,
    b,
    c,
    at: (backend: Backend): MemoryUdpBackend => network.backend(backend.host, backend.port),
    client(): UdpClient {
      const from = { host: '192.0.2.1', port: 40_000 + clients++ };
      return {
        send: (text) => bound.deliver(text, from),
        get heard() {
          const own = bound.sent.filter(({ to }) => to === `${from.host}:${from.port}`);
          return own.map(({ text }) => text).join(' ');
        },
      };
    },
    /** The oldest sessions. */
    views: (limit: number) => searchFlows(proxy.sessions(), { limit }, context).flows,
    passMs(ms: number): void {
      context.nowMs += ms;
      proxy.tick();
    },
  };
}
