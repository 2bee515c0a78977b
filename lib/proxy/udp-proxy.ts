/** The UDP side of a proxied service: its listeners and the sessions of their clients. */
import type { Backend } from '../balance/backend.ts';
import type { HostPort } from '../model/spec.ts';
import type { ProxyContext } from './context.ts';
import { type BackendFlows, groupByBackend } from './flow-groups.ts';
import { viewFlow } from './flow-view.ts';
import type { BoundSocket, BoundSocketOwner, Datagram, UdpTransport } from './socket/datagram.ts';
import type { Listener } from './socket/stream.ts';
import { reasonNotSent, type SessionHome, UdpSession } from './udp-session.ts';

/** A session of a listener that takes no new ones has so long from datagram to datagram. */
const lastAnswersMs = 1_000;

export class UdpProxy {
  readonly #context: ProxyContext;
  readonly #transport: UdpTransport;
  readonly #listeners = new Set<UdpListener>();

  constructor(context: ProxyContext, transport: UdpTransport) {
    this.#context = context;
    this.#transport = transport;
  }

  get sessionCount(): number {
    let count = 0;
    for (const listener of this.#listeners) count += listener.sessions.size;
    return count;
  }

  /** Receives at a literal address; an empty host is every address. Throws a SluiceError. */
  listen(at: HostPort): Listener {
    const listener = new UdpListener(this.#context, this.#transport, at, () => this.sessionCount);
    this.#listeners.add(listener);
    return {
      address: listener.address,
      refuse: () => listener.refuse(),
      close: () => {
        this.#listeners.delete(listener);
        listener.close();
      },
    };
  }

  /** Lets idle sessions end. */
  tick(): void {
    const { nowMs } = this.#context;
    const { udpIdleTimeoutMs } = this.#context.limits;
    for (const listener of this.#listeners) {
      const idleTimeoutMs = listener.refusing ? Math.min(lastAnswersMs, udpIdleTimeoutMs) : udpIdleTimeoutMs;
      for (const session of listener.sessions) {
        if (nowMs - session.lastMs >= idleTimeoutMs) session.end();
      }
    }
  }

  /** The sessions of a backend that is down go to others. */
  moveSessions(backend: Backend): void {
    for (const session of this.sessions()) {
      if (session.backend === backend) session.place();
    }
  }

  /** Ends the sessions of one backend, or all of them. */
  endSessions(backend?: Backend): void {
    for (const session of this.sessions()) {
      if (backend === undefined || session.backend === backend) session.end();
    }
  }

  /** All sessions by listener and backend, with up to `examples` of each. */
  groups(examples: number): (BackendFlows & { readonly vip: HostPort })[] {
    return [...this.#listeners].flatMap(({ address, sessions }) =>
      groupByBackend(sessions, examples, (session) => viewFlow(session, this.#context)).map((group) => ({
        ...group,
        vip: address,
      })),
    );
  }

  /** Now, those of each listener oldest first. */
  *sessions(): Generator<UdpSession> {
    for (const listener of this.#listeners) yield* listener.sessions;
  }
}

class UdpListener implements BoundSocketOwner, SessionHome {
  readonly context: ProxyContext;
  readonly transport: UdpTransport;
  readonly address: HostPort;
  readonly socket: BoundSocket;
  /** The oldest first. */
  readonly sessions = new Set<UdpSession>();
  /** Takes no new sessions. */
  refusing = false;
  readonly #countAll: () => number;

  constructor(context: ProxyContext, transport: UdpTransport, at: HostPort, countAll: () => number) {
    this.context = context;
    this.transport = transport;
    this.socket = transport.bind(at, this);
    this.address = { host: at.host, port: this.socket.port };
    this.#countAll = countAll;
  }

  get vipAddress(): string {
    return this.address.host === '' ? '::' : this.address.host;
  }
  get vipPort(): number {
    return this.address.port;
  }

  onStranger(datagram: Datagram): void {
    this.#begin()?.onClientDatagram(datagram);
  }

  onUnsent(code: string): void {
    this.context.drop(reasonNotSent(code));
  }

  onFailure(code: string): void {
    this.context.log.debug('receiving failed', { service: this.context.service, code });
  }

  leave(session: UdpSession): void {
    this.sessions.delete(session);
  }

  refuse(): void {
    this.refusing = true;
  }

  close(): void {
    this.socket.close();
    for (const session of this.sessions) session.end();
  }

  #begin(): UdpSession | null {
    const { context } = this;
    if (this.refusing) return null;
    if (this.#countAll() >= context.limits.udpMaxSessions) {
      context.drop('table-full');
      return null;
    }
    const session = new UdpSession(this);
    if (!session.place()) return null;
    context.connections++;
    this.sessions.add(session);
    return session;
  }
}
