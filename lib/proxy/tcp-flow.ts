/**
 * One client's connection, from its acceptance to its end, and the backend's that it is joined to.
 *
 *              all full            room
 *     ┌──────┐ ───────▶ ┌────────┐ ─────┐
 *     │ place│          │ queued │      │
 *     └──────┘ ◀─────── └────────┘ ◀────┘         FIN from one side
 *      ▲    │ a backend                                │
 *      │    ▼                                          ▼
 *     ┌────────────┐ connected ┌─────────────┐    ┌─────────┐ FIN from the other
 *     │ connecting │ ────────▶ │ established │ ─▶ │ closing │ ─────▶ ended
 *     └────────────┘           └─────────────┘    └─────────┘
 *      │ failed: the next backend, while retries last
 *      ▼
 *     ended, the client is sent a RST
 *
 * What always holds: a flow that has a backend has claimed it at the pool and releases it exactly once; bytes
 * are never written to two backends; a RST from one side goes out as a RST on the other.
 */
import type { Backend } from '../balance/backend.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import type { FlowState } from '../model/view.ts';
import { type DropReason, type ProxyContext, tickMs } from './context.ts';
import { MeteredFlow } from './flow-meter.ts';
import { isOwnError } from './socket/own-errors.ts';
import type { ConnectionOwner, Stream, TcpTransport } from './socket/stream.ts';

/** What a flow needs of the listener it came through. */
export interface FlowHome {
  readonly context: ProxyContext;
  readonly transport: TcpTransport;
  /** Lets a flow wait until a backend has room; false when too many wait already. */
  enqueue(flow: TcpFlow): boolean;
  /** The flow has ended, or waits no longer. */
  leave(flow: TcpFlow): void;
}

const none: readonly Backend[] = [];

/** A silent peer is asked whether it lives; most connections have ended before that costs a system call. */
const keepAliveAfterMs = 10_000;
const keepAliveIdleSeconds = 60;

export class TcpFlow extends MeteredFlow implements ConnectionOwner, FlowTuple {
  readonly protocol = 'tcp';
  readonly startedMs: number;
  state: FlowState = 'connecting';
  backend: Backend | null = null;
  /** When a byte last moved, or the state changed. */
  lastMs: number;

  readonly #home: FlowHome;
  readonly #client: Stream;
  #server: Stream | null = null;
  #tried: readonly Backend[] = none;
  /** The client's first bytes, lent by its stream until there is a backend to send them to. */
  #held: Uint8Array | null = null;
  #clientEnded = false;
  #serverEnded = false;
  #keptAlive = false;
  #ended = false;

  constructor(home: FlowHome, client: Stream) {
    super();
    this.#home = home;
    this.#client = client;
    this.startedMs = home.context.nowMs;
    this.lastMs = this.startedMs;
  }

  // As seen by the client's socket, asked only by those who need it: each costs a system call.
  get clientAddress(): string {
    return this.#client.remoteAddress;
  }
  get clientPort(): number {
    return this.#client.remotePort;
  }
  get vipAddress(): string {
    return this.#client.localAddress;
  }
  get vipPort(): number {
    return this.#client.localPort;
  }

  get packetsIn(): null {
    return null;
  }
  get packetsOut(): null {
    return null;
  }

  /** Takes the client on. Reading begins at once: one that gives up before it has sent anything is noticed. */
  begin(): void {
    this.#client.start(this);
    if (!this.#ended) this.#place('all-down');
  }

  /** Whether it could use any backend; not so one that has failed on some. */
  get isFresh(): boolean {
    return this.#tried.length === 0;
  }

  /** A flow that waits asks again: true if it has found a backend. */
  tryAgain(): boolean {
    const choice = this.#home.context.pool.pick(this, this.#tried);
    if (typeof choice === 'string') return false;
    this.#connect(choice);
    return true;
  }

  /** Ends what has lasted too long. Called on every tick. */
  tick(nowMs: number): void {
    const { limits } = this.#home.context;
    const idleMs = nowMs - this.lastMs;
    // It may have begun just now, a whole tick after `lastMs`; nobody is given less time than was promised.
    const waitedMs = idleMs - tickMs;
    switch (this.state) {
      case 'queued':
        if (waitedMs >= limits.queueTimeoutMs) this.#refuse('queue-timeout');
        break;
      case 'connecting':
        if (waitedMs >= limits.connectTimeoutMs) this.#connectFailed('ETIMEDOUT');
        break;
      case 'established':
        if (idleMs >= limits.idleTimeoutMs) this.end();
        else if (!this.#keptAlive && idleMs >= keepAliveAfterMs) this.#keepAlive();
        break;
      case 'closing':
        if (idleMs >= limits.halfCloseTimeoutMs) this.end();
        break;
    }
  }

  onData(from: Stream, bytes: Uint8Array): boolean {
    const { context } = this.#home;
    if (from === this.#server) {
      if (this.bytesOut === 0) context.observer.answered(this.backend!);
      this.lastMs = context.nowMs;
      this.bytesOut += bytes.length;
      context.countOut(this.backend!, bytes.length);
      return this.#client.write(bytes);
    }
    if (this.state === 'queued' || this.state === 'connecting') return this.#hold(bytes);
    this.lastMs = context.nowMs;
    return this.#toServer(bytes);
  }

  onConnected(server: Stream, failure: string | null): void {
    if (failure === null) this.#connected(server);
    else this.#connectFailed(failure);
  }

  onWritten(to: Stream): void {
    const from = to === this.#client ? this.#server : this.#client;
    from?.resume();
  }

  onEnd(from: Stream): void {
    if (from === this.#client) this.#clientEnded = true;
    else {
      this.#serverEnded = true;
      if (this.bytesOut === 0) this.#home.context.observer.answered(this.backend!);
    }
    if (this.#clientEnded && this.#serverEnded) {
      this.end();
      return;
    }
    if (this.state !== 'established') return;
    this.state = 'closing';
    this.lastMs = this.#home.context.nowMs;
    const other = from === this.#client ? this.#server : this.#client;
    other?.finish();
  }

  onFailure(from: Stream, code: string): void {
    if (from === this.#server && this.state === 'established' && this.bytesOut === 0) {
      if (this.bytesIn === 0) {
        this.#connectFailed(code);
        return;
      }
      this.#home.context.backendFailed(this.backend!, 'reset before an answer');
    }
    this.reset();
  }

  /** Ends both connections: by FIN, as far as nothing was left unread. */
  end(): void {
    if (this.#ended) return;
    this.#client.close();
    this.#server?.close();
    this.#leave();
  }

  /** Ends both connections by RST. */
  reset(): void {
    if (this.#ended) return;
    this.#client.reset();
    this.#server?.reset();
    this.#leave();
  }

  /** Finds a backend and connects to it, or waits, or turns the client away, for the reason given. */
  #place(otherwise: DropReason): void {
    const { context } = this.#home;
    const choice = context.pool.pick(this, this.#tried);
    if (typeof choice !== 'string') this.#connect(choice);
    else if (choice === 'all-full' || (this.isFresh && context.whenAllDown === 'drop')) this.#wait();
    else this.#refuse(otherwise);
  }

  #wait(): void {
    this.state = 'queued';
    this.lastMs = this.#home.context.nowMs;
    if (!this.#home.enqueue(this)) this.#refuse('queue-full');
  }

  #connect(backend: Backend): void {
    const { context, transport } = this.#home;
    this.state = 'connecting';
    this.lastMs = context.nowMs;
    this.backend = backend;
    context.pool.claim(backend);
    this.#server = transport.connect(backend.address, backend.port, this);
  }

  #connected(server: Stream): void {
    const { context } = this.#home;
    this.state = 'established';
    this.lastMs = context.nowMs;
    server.start(this);
    const held = this.#held;
    if (held !== null) {
      this.#held = null;
      if (this.#toServer(held)) this.#client.resume();
    }
    if (this.#clientEnded && !this.#ended) {
      this.state = 'closing';
      server.finish();
    }
  }

  /** The backend is not there, or went before a byte had passed: the client may have another. */
  #connectFailed(code: string): void {
    const { context } = this.#home;
    const backend = this.backend!;
    const own = isOwnError(code);
    if (!own) context.backendFailed(backend, code);
    this.#server?.close();
    this.#server = null;
    this.backend = null;
    this.state = 'connecting';
    context.pool.release(backend);
    this.#tried = [...this.#tried, backend];
    context.log.debug('connecting to a backend failed', {
      service: context.service,
      backend: backend.name,
      code,
      attempt: this.#tried.length,
    });
    const reason = own ? 'own-resources' : 'connect-failed';
    if (this.#tried.length <= context.limits.retries) this.#place(reason);
    else this.#refuse(reason);
  }

  #toServer(bytes: Uint8Array): boolean {
    const server = this.#server!;
    const taken = server.write(bytes);
    if (this.#ended) return false;
    // The backend had gone before its first byte: these bytes are the next one's.
    if (server !== this.#server) return this.#hold(bytes);
    this.bytesIn += bytes.length;
    this.#home.context.countIn(this.backend!, bytes.length);
    return taken;
  }

  #hold(bytes: Uint8Array): false {
    this.#held = bytes;
    return false;
  }

  #keepAlive(): void {
    this.#keptAlive = true;
    this.#client.keepAlive(keepAliveIdleSeconds);
    this.#server!.keepAlive(keepAliveIdleSeconds);
  }

  #refuse(reason: DropReason): void {
    this.#home.context.drop(reason);
    this.reset();
  }

  #leave(): void {
    this.#ended = true;
    this.#held = null;
    const { backend } = this;
    this.#home.leave(this);
    if (backend !== null) this.#home.context.pool.release(backend);
  }
}
