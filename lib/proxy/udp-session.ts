/**
 * What one client and its backend say to each other over UDP: a client that a bound socket has accepted, and a
 * connected socket towards the backend, which hears nobody else and is told by ICMP when nobody listens there.
 *
 * What always holds: a session that has a backend has claimed it at the pool and releases it exactly once.
 */
import type { Backend } from '../balance/backend.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import type { FlowState } from '../model/view.ts';
import type { DropReason, ProxyContext } from './context.ts';
import { MeteredFlow } from './flow-meter.ts';
import {
  type BoundSocket,
  type ClientOwner,
  type ConnectedSocket,
  type Datagram,
  type PeerOwner,
  sendQueueFull,
  type UdpClient,
  type UdpTransport,
} from './socket/datagram.ts';
import { isOwnError } from './socket/own-errors.ts';

/** What a session needs of the listener it came through. */
export interface SessionHome {
  readonly context: ProxyContext;
  readonly transport: UdpTransport;
  /** Where the client has written to. */
  readonly socket: BoundSocket;
  readonly vipAddress: string;
  readonly vipPort: number;
  /** The session has ended. */
  leave(session: UdpSession): void;
}

/** Why a datagram is lost when `code` came in place of its sending. */
export function reasonNotSent(code: string): DropReason {
  return code === sendQueueFull ? 'send-queue-full' : 'send-failed';
}

const none: readonly Backend[] = [];

export class UdpSession extends MeteredFlow implements ClientOwner, PeerOwner, FlowTuple {
  readonly protocol = 'udp';
  readonly state: FlowState = 'established';
  readonly startedMs: number;
  backend: Backend | null = null;
  packetsIn = 0;
  packetsOut = 0;
  lastMs: number;

  readonly #home: SessionHome;
  readonly #client: UdpClient;
  #server: ConnectedSocket | null = null;
  /** The backend that it has now has answered. */
  #answered = false;
  #ended = false;

  /** Accepts the client whose datagram the home's socket is telling of. */
  constructor(home: SessionHome) {
    super();
    this.#home = home;
    this.#client = home.socket.accept(this);
    this.startedMs = home.context.nowMs;
    this.lastMs = this.startedMs;
  }

  get clientAddress(): string {
    return this.#client.address;
  }
  get clientPort(): number {
    return this.#client.port;
  }
  get vipAddress(): string {
    return this.#home.vipAddress;
  }
  get vipPort(): number {
    return this.#home.vipPort;
  }

  /**
   * Gives the session a backend, or one other than the one it has. False if there is none: the drop is
   * counted and the session has ended.
   */
  place(): boolean {
    const { context, transport } = this.#home;
    let tried = this.backend === null ? none : [this.backend];
    let refusal: DropReason = 'all-down';
    this.#letGo();
    for (let attempt = 0; attempt <= context.limits.retries; attempt++) {
      const choice = context.pool.pick(this, tried);
      if (typeof choice === 'string') {
        if (choice === 'all-full') refusal = choice;
        break;
      }
      const server = transport.connect(choice.address, choice.port, this);
      if (typeof server !== 'string') {
        this.backend = choice;
        this.#server = server;
        this.#answered = false;
        context.pool.claim(choice);
        return true;
      }
      if (isOwnError(server)) refusal = 'own-resources';
      else {
        context.backendFailed(choice, server);
        refusal = 'connect-failed';
      }
      tried = [...tried, choice];
    }
    context.drop(refusal);
    this.end();
    return false;
  }

  onClientDatagram(datagram: Datagram): void {
    const { context } = this.#home;
    this.lastMs = context.nowMs;
    this.packetsIn++;
    this.bytesIn += datagram.length;
    context.datagramsIn++;
    let failure = this.#server!.send(datagram);
    if (failure !== null && failure !== sendQueueFull) {
      // It speaks of an earlier datagram, and this one was not sent.
      this.onPeerFailure(failure);
      if (this.#ended) return;
      failure = this.#server!.send(datagram);
    }
    if (failure === null) context.countIn(this.backend!, datagram.length);
    else context.drop(reasonNotSent(failure));
  }

  onPeerDatagram(datagram: Datagram): void {
    const { context } = this.#home;
    this.lastMs = context.nowMs;
    if (!this.#answered) context.observer.answered(this.backend!);
    this.#answered = true;
    this.packetsOut++;
    this.bytesOut += datagram.length;
    context.datagramsOut++;
    context.countOut(this.backend!, datagram.length);
    this.#client.send(datagram);
    const { udpAnswers } = context.limits;
    if (udpAnswers > 0 && this.packetsOut >= this.packetsIn * udpAnswers) this.end();
  }

  /** Nobody listens at the backend's, or there is no way to it: the session goes to another. */
  onPeerFailure(code: string): void {
    if (isOwnError(code)) return;
    this.#home.context.backendFailed(this.backend!, code);
    this.place();
  }

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#home.leave(this);
    this.#client.close();
    this.#letGo();
  }

  #letGo(): void {
    const { backend } = this;
    this.backend = null;
    this.#server?.close();
    this.#server = null;
    if (backend !== null) this.#home.context.pool.release(backend);
  }
}
