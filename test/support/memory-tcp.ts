/**
 * TCP in memory: the twin of Node's transport, with peers that a test scripts. Nothing happens by itself: what
 * could happen next waits until the test lets it, in order (`settle`) or in an order of the test's own (`step`).
 *
 *     Peer ── toProxy ──▶ MemoryStream ── onData ──▶ the proxy
 *     Peer ◀── received ─ MemoryStream ◀── write ─── the proxy
 *
 * It is stricter than the kernel, so that whoever breaks the contract of a `Stream` is found out: a read buffer
 * is spoilt as soon as it may be, a write that waits takes its bytes only once the peer reads, and a call that
 * the contract rules out throws.
 */
import assert from 'node:assert/strict';
import type { HostPort } from '../../lib/model/spec.ts';
import type {
  ConnectionOwner,
  Listener,
  Stream,
  StreamOwner,
  TcpTransport,
} from '../../lib/proxy/socket/stream.ts';

/** Small, so that few bytes already come in several reads. */
export const readBufferBytes = 8;

const spoilt = 0xff;

/** What becomes of a connect: it is accepted, it is never answered, or it fails with a code. */
export type Reception = 'accept' | 'never' | `E${string}`;

/** The other end of a connection: a client, or a backend that has accepted. */
export class Peer {
  readonly #received: Uint8Array[] = [];
  readonly #toProxy: number[] = [];
  /** False: what is written to it waits. */
  reading = true;
  /** What it has sent behind its bytes. */
  sentFin = false;
  sentReset = false;
  /** What it has been sent behind theirs. */
  gotFin = false;
  gotReset = false;

  send(bytes: string | Uint8Array): this {
    this.#toProxy.push(...Buffer.from(bytes as Uint8Array));
    return this;
  }

  finish(): this {
    this.sentFin = true;
    return this;
  }

  reset(): this {
    this.sentReset = true;
    return this;
  }

  /** All bytes it has been sent. */
  get bytes(): Buffer {
    return Buffer.concat(this.#received);
  }

  get text(): string {
    return this.bytes.toString();
  }

  /** Bytes on their way that the proxy has not read yet. */
  get unread(): number {
    return this.#toProxy.length;
  }

  /** Both directions are over, as far as this end can tell. */
  get isOver(): boolean {
    return this.gotReset || this.sentReset || (this.gotFin && this.sentFin);
  }

  receive(bytes: Uint8Array): void {
    this.#received.push(Uint8Array.from(bytes));
  }

  take(count: number): number[] {
    return this.#toProxy.splice(0, count);
  }
}

/** The proxy's end of a connection. */
export class MemoryStream implements Stream {
  readonly peer = new Peer();
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  closed = false;
  keepAliveSeconds = 0;
  #connecting: { readonly owner: ConnectionOwner; readonly reception: Reception } | null = null;
  #owner: StreamOwner | null = null;
  readonly #buffer = new Uint8Array(readBufferBytes);
  #lent = false;
  #unwritten: Uint8Array | null = null;
  #finished = false;
  #readToEnd = false;

  constructor(remote: HostPort, local: HostPort) {
    this.remoteAddress = remote.host;
    this.remotePort = remote.port;
    this.localAddress = local.host;
    this.localPort = local.port;
  }

  connect(owner: ConnectionOwner, reception: Reception): void {
    this.#connecting = { owner, reception };
  }

  start(owner: StreamOwner): void {
    this.#requireOpen('start');
    assert.equal(this.#owner, null, 'a stream is started once');
    assert.equal(this.#connecting, null, 'a stream is started once it is connected');
    this.#owner = owner;
  }

  resume(): void {
    this.#requireOpen('resume');
    assert.ok(this.#lent, 'only a stream that has stopped is resumed');
    this.#buffer.fill(spoilt);
    this.#lent = false;
  }

  write(bytes: Uint8Array, length: number): boolean {
    this.#requireOpen('write');
    assert.equal(this.#unwritten, null, 'nothing is written while a write waits');
    assert.ok(!this.#finished, 'nothing is written behind a FIN');
    assert.ok(length > 0 && length <= bytes.length);
    if (this.peer.sentReset) {
      this.#fail('EPIPE');
      return false;
    }
    if (!this.peer.reading) {
      this.#unwritten = bytes.subarray(0, length);
      return false;
    }
    this.peer.receive(bytes.subarray(0, length));
    return true;
  }

  finish(): void {
    this.#requireOpen('finish');
    assert.ok(!this.#finished, 'a FIN is sent once');
    this.#finished = true;
    if (this.#unwritten === null) this.peer.gotFin = true;
  }

  close(): void {
    this.#requireOpen('close');
    this.closed = true;
    if (this.peer.unread > 0) this.peer.gotReset = true;
    else this.peer.gotFin = true;
  }

  reset(): void {
    this.#requireOpen('reset');
    this.closed = true;
    this.peer.gotReset = true;
  }

  keepAlive(idleSeconds: number): void {
    this.#requireOpen('keepAlive');
    this.keepAliveSeconds = idleSeconds;
  }

  /** What could happen to this stream now, each as an action. */
  possible(): (() => void)[] {
    if (this.closed) return [];
    if (this.#connecting !== null) {
      return this.#connecting.reception === 'never' ? [] : [() => this.#connected()];
    }
    const events: (() => void)[] = [];
    if (this.#unwritten !== null && (this.peer.reading || this.peer.sentReset)) {
      events.push(() => this.#written());
    }
    if (this.#owner === null || this.#lent || this.#readToEnd) return events;
    if (this.peer.unread > 0) events.push(() => this.#read());
    else if (this.peer.sentReset) events.push(() => this.#fail('ECONNRESET'));
    else if (this.peer.sentFin) events.push(() => this.#finishedByPeer());
    return events;
  }

  #connected(): void {
    const { owner, reception } = this.#connecting!;
    this.#connecting = null;
    owner.onConnected(this, reception === 'accept' ? null : reception);
    if (reception !== 'accept') assert.ok(this.closed, 'a stream that could not connect is closed');
  }

  #read(): void {
    const bytes = this.peer.take(readBufferBytes);
    this.#buffer.set(bytes);
    this.#lent = !this.#owner!.onData(this, this.#buffer, bytes.length);
    if (!this.#lent) this.#buffer.fill(spoilt);
  }

  #finishedByPeer(): void {
    this.#readToEnd = true;
    this.#owner!.onEnd(this);
  }

  #written(): void {
    const bytes = this.#unwritten!;
    this.#unwritten = null;
    if (this.peer.sentReset) {
      this.#fail('EPIPE');
      return;
    }
    this.peer.receive(bytes);
    if (this.#finished) this.peer.gotFin = true;
    this.#owner!.onWritten(this);
  }

  #fail(code: string): void {
    this.#owner!.onFailure(this, code);
    assert.ok(this.closed, 'a stream that has failed is closed');
  }

  #requireOpen(call: string): void {
    assert.ok(!this.closed, `${call} on a closed stream`);
  }
}

/** A place that the proxy connects to. */
export interface MemoryBackend {
  reception: Reception;
  /** Those that have accepted, in the order in which the proxy connected. */
  readonly peers: readonly Peer[];
}

const firstClientPort = 40_000;
const vipAddress = '198.51.100.1';
const proxyAddress = '10.0.0.254';

/** A network with one proxy in it. */
export class MemoryTcp implements TcpTransport {
  readonly streams: MemoryStream[] = [];
  readonly #listeners = new Map<number, (stream: Stream) => void>();
  readonly #backends = new Map<string, { reception: Reception; peers: Peer[] }>();
  #clients = 0;

  listen({ host, port }: HostPort, onStream: (stream: Stream) => void): Listener {
    this.#listeners.set(port, onStream);
    const close = () => void this.#listeners.delete(port);
    return { address: { host, port }, refuse: close, close };
  }

  connect(address: string, port: number, owner: ConnectionOwner): Stream {
    const backend = this.backend(address, port);
    const stream = new MemoryStream({ host: address, port }, { host: proxyAddress, port: 0 });
    stream.connect(owner, backend.reception);
    this.streams.push(stream);
    if (backend.reception === 'accept') backend.peers.push(stream.peer);
    return stream;
  }

  backend(address: string, port: number): MemoryBackend & { peers: Peer[] } {
    const key = `${address}:${port}`;
    const backend = this.#backends.get(key) ?? { reception: 'accept' as Reception, peers: [] };
    this.#backends.set(key, backend);
    return backend;
  }

  /** A new client of the listener at `port`, each from a port of its own; null where nobody listens. */
  client(port: number, host = '192.0.2.1'): Peer | null {
    const onStream = this.#listeners.get(port);
    if (onStream === undefined) return null;
    const from = { host, port: firstClientPort + this.#clients++ };
    const stream = new MemoryStream(from, { host: vipAddress, port });
    this.streams.push(stream);
    onStream(stream);
    return stream.peer;
  }

  /** Lets one of the things happen that could, the `choice`th or so; false where there is none. */
  step(choice: number): boolean {
    const events = this.streams.flatMap((stream) => stream.possible());
    events[choice % events.length]?.();
    return events.length > 0;
  }

  /** Lets everything happen, the oldest connection first. */
  settle(): void {
    while (this.step(0));
  }

  get openStreams(): number {
    return this.streams.filter(({ closed }) => !closed).length;
  }
}
