/**
 * UDP in memory: the twin of Node's transport, with clients and backends that a test scripts. Datagrams arrive
 * at once; what a machine says of a datagram that nobody listens for comes later, with the next send or, if the
 * test says so, before it.
 */
import assert from 'node:assert/strict';
import type { HostPort } from '../../lib/model/spec.ts';
import {
  type DatagramOwner,
  type DatagramSocket,
  sendQueueFull,
  type UdpTransport,
} from '../../lib/proxy/socket/datagram.ts';

/** A place that the proxy sends to. */
export class MemoryUdpBackend {
  /** A code for `connect`, where there is no way to the backend at all. */
  unreachable: string | null = null;
  /** Nobody listens: each datagram is answered by an ICMP error. */
  refuses = false;
  /** What has arrived, as text. */
  readonly received: string[] = [];
  /** The proxy's sockets that are connected to it, in the order in which they were opened. */
  readonly sockets: MemoryDatagramSocket[] = [];

  /** Sends from the backend to the latest of the proxy's sockets, or to another. */
  answer(text: string, socket: MemoryDatagramSocket = this.sockets.at(-1)!): void {
    socket.deliver(text, socket.peer!);
  }
}

/** A socket of the proxy: bound, with clients around it, or connected to one backend. */
export class MemoryDatagramSocket implements DatagramSocket {
  readonly address: HostPort;
  /** The backend's address; null for a bound socket. */
  readonly peer: HostPort | null;
  closed = false;
  /** What comes of the next sends instead of their sending. */
  queueIsFull = false;
  pendingError: string | null = null;
  /** What clients were sent from here, by their `address:port`. */
  readonly sent: { readonly to: string; readonly text: string }[] = [];
  readonly #owner: DatagramOwner;
  readonly #backend: MemoryUdpBackend | null;

  constructor(
    owner: DatagramOwner,
    { address, peer, backend }: { address: HostPort; peer?: HostPort; backend?: MemoryUdpBackend },
  ) {
    this.#owner = owner;
    this.address = address;
    this.peer = peer ?? null;
    this.#backend = backend ?? null;
  }

  send(bytes: Uint8Array): string | null {
    assert.ok(!this.closed, 'send on a closed socket');
    assert.ok(this.#backend !== null, 'send on a socket that is not connected');
    const failure = this.#failure();
    if (failure !== null) return failure;
    if (this.#backend.refuses) this.pendingError = 'ECONNREFUSED';
    else this.#backend.received.push(Buffer.from(bytes).toString());
    return null;
  }

  sendTo(bytes: Uint8Array, address: string, port: number): string | null {
    assert.ok(!this.closed, 'send on a closed socket');
    assert.equal(this.#backend, null, 'sendTo on a connected socket');
    const failure = this.#failure();
    if (failure === null) this.sent.push({ to: `${address}:${port}`, text: Buffer.from(bytes).toString() });
    return failure;
  }

  close(): void {
    assert.ok(!this.closed, 'a socket is closed once');
    this.closed = true;
  }

  /** A datagram arrives from `from`; nobody hears of it at a closed socket. */
  deliver(text: string, from: HostPort): void {
    if (!this.closed) this.#owner.onDatagram(Buffer.from(text), from.host, from.port);
  }

  /** The ICMP error that waits is noticed by itself, before the next send. */
  noticeError(): void {
    const code = this.pendingError;
    this.pendingError = null;
    if (code !== null && !this.closed) this.#owner.onFailure(code);
  }

  #failure(): string | null {
    const code = this.pendingError;
    this.pendingError = null;
    return code ?? (this.queueIsFull ? sendQueueFull : null);
  }
}

/** A network with one proxy in it. */
export class MemoryUdp implements UdpTransport {
  /** All that were ever opened. */
  readonly sockets: MemoryDatagramSocket[] = [];
  readonly #backends = new Map<string, MemoryUdpBackend>();

  bind(at: HostPort, owner: DatagramOwner): MemoryDatagramSocket {
    const socket = new MemoryDatagramSocket(owner, { address: at });
    this.sockets.push(socket);
    return socket;
  }

  connect(address: string, port: number, owner: DatagramOwner): MemoryDatagramSocket | string {
    const backend = this.backend(address, port);
    if (backend.unreachable !== null) return backend.unreachable;
    const socket = new MemoryDatagramSocket(owner, {
      address: { host: '10.0.0.254', port: 50_000 + this.sockets.length },
      peer: { host: address, port },
      backend,
    });
    this.sockets.push(socket);
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
    return this.sockets.filter(({ closed }) => !closed).length;
  }
}
