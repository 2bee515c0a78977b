/**
 * UDP in memory: the twin of the real transports, with clients and backends that a test scripts. Datagrams arrive
 * at once, and their bytes are gone as soon as they are told of; what a machine says of a datagram that nobody
 * listens for comes later, with the next send or, if the test says so, before it.
 */
import assert from 'node:assert/strict';
import type { HostPort } from '../../lib/model/spec.ts';
import {
  type BoundSocket,
  type BoundSocketOwner,
  type ClientOwner,
  type ConnectedSocket,
  type Datagram,
  type PeerOwner,
  sendQueueFull,
  type UdpClient,
  type UdpTransport,
} from '../../lib/proxy/socket/datagram.ts';

/** Lends a datagram in the middle of other bytes, and takes it back: whoever has kept it has nothing. */
function lend(text: string, to: (datagram: Datagram) => void): void {
  const bytes = Buffer.from(`before${text}behind`);
  to({ bytes, offset: 'before'.length, length: Buffer.byteLength(text) });
  bytes.fill(0);
}

function textOf({ bytes, offset, length }: Datagram): string {
  return Buffer.from(bytes.subarray(offset, offset + length)).toString();
}

/** A place that the proxy sends to. */
export class MemoryUdpBackend {
  /** A code for `connect`, where there is no way to the backend at all. */
  unreachable: string | null = null;
  /** Nobody listens: each datagram is answered by an ICMP error. */
  refuses = false;
  /** What has arrived, as text. */
  readonly received: string[] = [];
  /** The proxy's sockets that are connected to it, in the order in which they were opened. */
  readonly sockets: MemoryConnectedSocket[] = [];

  /** Sends from the backend to the latest of the proxy's sockets, or to another. */
  answer(text: string, socket: MemoryConnectedSocket = this.sockets.at(-1)!): void {
    socket.deliver(text);
  }
}

/** A socket of the proxy with clients around it. */
export class MemoryBoundSocket implements BoundSocket {
  readonly port: number;
  closed = false;
  /** Nothing can be sent. */
  queueIsFull = false;
  /** What clients were sent from here, by their `address:port`. */
  readonly sent: { readonly to: string; readonly text: string }[] = [];
  readonly #owner: BoundSocketOwner;
  readonly #clients = new Map<string, ClientOwner>();
  #stranger: HostPort | null = null;

  constructor({ port }: HostPort, owner: BoundSocketOwner) {
    this.port = port;
    this.#owner = owner;
  }

  accept(owner: ClientOwner): UdpClient {
    assert.ok(this.#stranger !== null, 'a client is accepted while its datagram is told of');
    const { host: address, port } = this.#stranger;
    const key = `${address}:${port}`;
    assert.ok(!this.#clients.has(key), 'a client is accepted once');
    this.#clients.set(key, owner);
    return {
      address,
      port,
      send: (datagram) => this.#answer(key, datagram),
      close: () => assert.ok(this.#clients.delete(key), 'a client is closed once'),
    };
  }

  close(): void {
    assert.ok(!this.closed, 'a socket is closed once');
    this.closed = true;
  }

  /** A datagram arrives from `from`; nobody hears of it at a closed socket. */
  deliver(text: string, from: HostPort): void {
    if (this.closed) return;
    const client = this.#clients.get(`${from.host}:${from.port}`);
    this.#stranger = from;
    lend(text, (datagram) => {
      if (client === undefined) this.#owner.onStranger(datagram);
      else client.onClientDatagram(datagram);
    });
    this.#stranger = null;
  }

  #answer(to: string, datagram: Datagram): void {
    if (this.closed) return;
    if (this.queueIsFull) this.#owner.onUnsent(sendQueueFull);
    else this.sent.push({ to, text: textOf(datagram) });
  }
}

/** A socket of the proxy that is connected to one backend. */
export class MemoryConnectedSocket implements ConnectedSocket {
  closed = false;
  /** What comes of the next sends instead of their sending. */
  queueIsFull = false;
  pendingError: string | null = null;
  readonly #owner: PeerOwner;
  readonly #backend: MemoryUdpBackend;

  constructor(owner: PeerOwner, backend: MemoryUdpBackend) {
    this.#owner = owner;
    this.#backend = backend;
  }

  send(datagram: Datagram): string | null {
    assert.ok(!this.closed, 'send on a closed socket');
    const code = this.pendingError;
    this.pendingError = null;
    if (code !== null) return code;
    if (this.queueIsFull) return sendQueueFull;
    if (this.#backend.refuses) this.pendingError = 'ECONNREFUSED';
    else this.#backend.received.push(textOf(datagram));
    return null;
  }

  close(): void {
    assert.ok(!this.closed, 'a socket is closed once');
    this.closed = true;
  }

  /** A datagram arrives from the backend; nobody hears of it at a closed socket. */
  deliver(text: string): void {
    if (!this.closed) lend(text, (datagram) => this.#owner.onPeerDatagram(datagram));
  }

  /** The ICMP error that waits is noticed by itself, before the next send. */
  noticeError(): void {
    const code = this.pendingError;
    this.pendingError = null;
    if (code !== null && !this.closed) this.#owner.onPeerFailure(code);
  }
}

/** A network with one proxy in it. */
export class MemoryUdp implements UdpTransport {
  /** All that were ever opened. */
  readonly bound: MemoryBoundSocket[] = [];
  readonly connected: MemoryConnectedSocket[] = [];
  readonly #backends = new Map<string, MemoryUdpBackend>();

  bind(at: HostPort, owner: BoundSocketOwner): MemoryBoundSocket {
    const socket = new MemoryBoundSocket(at, owner);
    this.bound.push(socket);
    return socket;
  }

  connect(address: string, port: number, owner: PeerOwner): MemoryConnectedSocket | string {
    const backend = this.backend(address, port);
    if (backend.unreachable !== null) return backend.unreachable;
    const socket = new MemoryConnectedSocket(owner, backend);
    this.connected.push(socket);
    backend.sockets.push(socket);
    return socket;
  }

  backend(address: string, port: number): MemoryUdpBackend {
    const key = `${address}:${port}`;
    const backend = this.#backends.get(key) ?? new MemoryUdpBackend();
    this.#backends.set(key, backend);
    return backend;
  }

  get openSockets(): number {
    return [...this.bound, ...this.connected].filter(({ closed }) => !closed).length;
  }
}
