/** UDP on Node's handles: what carries it where there is nothing native for this machine. */
import { ipFamily, unmapped } from '../../model/ip.ts';
import type { HostPort } from '../../model/spec.ts';
import { bindError } from './bind-error.ts';
import {
  type BoundSocket,
  type BoundSocketOwner,
  type ClientOwner,
  type ConnectedSocket,
  type Datagram,
  type PeerOwner,
  receiveBufferBytes,
  sendQueueFull,
  type UdpClient,
  type UdpTransport,
} from './datagram.ts';
import { bindHandle } from './node-bind.ts';
import {
  type AddressOut,
  errorName,
  nodeHandles,
  type UdpHandle,
  type WriteRequest,
} from './node-handles.ts';

const { UDP, SendWrap, constants } = nodeHandles().udp;

/** Datagrams that may wait for the kernel to take them, per socket. */
const sendQueueLength = 256;

/** Both are reused as long as the kernel takes each datagram at once, as it nearly always does. */
let nextSend: WriteRequest = new SendWrap();
const list: Uint8Array[] = [];

export const nodeUdp: UdpTransport = { bind, connect };

function bind(at: HostPort, owner: BoundSocketOwner): BoundSocket {
  const handle = new UDP();
  const errno = bindHandle(handle, at, constants.UV_UDP_IPV6ONLY);
  if (errno !== 0) {
    handle.close();
    throw bindError('udp', at, errorName(errno));
  }
  handle.bufferSize(receiveBufferBytes, true, {});
  return new NodeBoundSocket(handle, owner);
}

function connect(address: string, port: number, owner: PeerOwner): ConnectedSocket | string {
  const handle = new UDP();
  const errno = ipFamily(address) === 6 ? handle.connect6(address, port) : handle.connect(address, port);
  if (errno === 0) return new NodeConnectedSocket(handle, owner);
  handle.close();
  return errorName(errno);
}

/** What both kinds of socket do: receive until they are closed, and send as much as may wait. */
abstract class NodeSocket {
  protected readonly handle: UdpHandle;
  protected closed = false;
  #queued = 0;

  constructor(handle: UdpHandle) {
    this.handle = handle;
    handle.onmessage = (length, _handle, bytes, from) => {
      if (this.closed) return;
      if (length < 0) this.failed(errorName(length));
      else this.received({ bytes, offset: 0, length: bytes.length }, from);
    };
    handle.recvStart();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.handle.close();
  }

  protected abstract received(datagram: Datagram, from: AddressOut): void;
  protected abstract failed(code: string): void;

  /** Sends to the connected peer, or to a client as it was received: ::ffff:192.0.2.1 by a socket of both families. */
  protected sendBytes({ bytes, offset, length }: Datagram, to?: AddressOut): string | null {
    if (this.closed) return null;
    if (this.#queued >= sendQueueLength) return sendQueueFull;
    list[0] = bytes.subarray(offset, offset + length);
    const { handle } = this;
    let result: number;
    if (to === undefined) result = handle.send(nextSend, list, 1, true);
    else if (to.family === 'IPv6') result = handle.send6(nextSend, list, 1, to.port!, to.address!, true);
    else result = handle.send(nextSend, list, 1, to.port!, to.address!, true);
    if (result === 0) this.#enqueued(list[0]);
    return result < 0 ? errorName(result) : null;
  }

  /** The request and the bytes belong to each other until it is through; nobody else has these bytes. */
  #enqueued(bytes: Uint8Array): void {
    nextSend.bytes = bytes;
    nextSend.oncomplete = () => {
      this.#queued--;
    };
    nextSend = new SendWrap();
    this.#queued++;
  }
}

class NodeBoundSocket extends NodeSocket implements BoundSocket {
  readonly #owner: BoundSocketOwner;
  /** By `address|port`. */
  readonly #clients = new Map<string, NodeClient>();
  /** Whose datagram is being told of. */
  #from: AddressOut = {};

  constructor(handle: UdpHandle, owner: BoundSocketOwner) {
    super(handle);
    this.#owner = owner;
  }

  get port(): number {
    const bound: AddressOut = {};
    if (!this.closed) this.handle.getsockname(bound);
    return bound.port ?? 0;
  }

  accept(owner: ClientOwner): UdpClient {
    const client = new NodeClient(this, owner, this.#from);
    this.#clients.set(keyOf(client.from), client);
    return client;
  }

  answer(datagram: Datagram, to: AddressOut): void {
    const failure = this.sendBytes(datagram, to);
    if (failure !== null) this.#owner.onUnsent(failure);
  }

  forget(client: NodeClient): void {
    this.#clients.delete(keyOf(client.from));
  }

  protected received(datagram: Datagram, from: AddressOut): void {
    const client = this.#clients.get(keyOf(from));
    this.#from = from;
    if (client === undefined) this.#owner.onStranger(datagram);
    else client.owner.onClientDatagram(datagram);
  }

  protected failed(code: string): void {
    this.#owner.onFailure(code);
  }
}

class NodeClient implements UdpClient {
  readonly owner: ClientOwner;
  readonly from: AddressOut;
  readonly #socket: NodeBoundSocket;

  constructor(socket: NodeBoundSocket, owner: ClientOwner, from: AddressOut) {
    this.#socket = socket;
    this.owner = owner;
    this.from = from;
  }

  get address(): string {
    return unmapped(this.from.address!);
  }

  get port(): number {
    return this.from.port!;
  }

  send(datagram: Datagram): void {
    this.#socket.answer(datagram, this.from);
  }

  close(): void {
    this.#socket.forget(this);
  }
}

class NodeConnectedSocket extends NodeSocket implements ConnectedSocket {
  readonly #owner: PeerOwner;

  constructor(handle: UdpHandle, owner: PeerOwner) {
    super(handle);
    this.#owner = owner;
  }

  send(datagram: Datagram): string | null {
    return this.sendBytes(datagram);
  }

  protected received(datagram: Datagram): void {
    this.#owner.onPeerDatagram(datagram);
  }

  protected failed(code: string): void {
    this.#owner.onPeerFailure(code);
  }
}

function keyOf({ address, port }: AddressOut): string {
  return `${address}|${port}`;
}
