/** UDP on Node's handles. */
import { ipFamily } from '../../model/ip.ts';
import type { HostPort } from '../../model/spec.ts';
import { bindError } from './bind-error.ts';
import { type DatagramOwner, type DatagramSocket, sendQueueFull, type UdpTransport } from './datagram.ts';
import { bindHandle } from './node-bind.ts';
import {
  type AddressOut,
  errorName,
  nodeHandles,
  type UdpHandle,
  type WriteRequest,
} from './node-handles.ts';

const { UDP, SendWrap, constants } = nodeHandles().udp;

/** A burst waits here while JavaScript is busy elsewhere; the kernel cuts it to net.core.rmem_max. */
const receiveBufferBytes = 4 * 1024 * 1024;

/** Datagrams that may wait for the kernel to take them, per socket. */
const sendQueueLength = 256;

/** Both are reused as long as the kernel takes each datagram at once, as it nearly always does. */
let nextSend: WriteRequest = new SendWrap();
const list: Uint8Array[] = [];

export const nodeUdp: UdpTransport = { bind, connect };

function bind(at: HostPort, owner: DatagramOwner): DatagramSocket {
  const handle = new UDP();
  const errno = bindHandle(handle, at, constants.UV_UDP_IPV6ONLY);
  if (errno !== 0) {
    handle.close();
    throw bindError('udp', at, errorName(errno));
  }
  handle.bufferSize(receiveBufferBytes, true, {});
  return new NodeDatagramSocket(handle, owner);
}

function connect(address: string, port: number, owner: DatagramOwner): DatagramSocket | string {
  const handle = new UDP();
  const errno = ipFamily(address) === 6 ? handle.connect6(address, port) : handle.connect(address, port);
  if (errno === 0) return new NodeDatagramSocket(handle, owner);
  handle.close();
  return errorName(errno);
}

class NodeDatagramSocket implements DatagramSocket {
  readonly #handle: UdpHandle;
  #queued = 0;
  #closed = false;

  constructor(handle: UdpHandle, owner: DatagramOwner) {
    this.#handle = handle;
    handle.onmessage = (length, _handle, bytes, from) => {
      if (this.#closed) return;
      if (length < 0) owner.onFailure(errorName(length));
      else owner.onDatagram(bytes, from.address!, from.port!);
    };
    handle.recvStart();
  }

  get address(): HostPort {
    const bound: AddressOut = {};
    if (!this.#closed) this.#handle.getsockname(bound);
    return { host: bound.address ?? '', port: bound.port ?? 0 };
  }

  send(bytes: Uint8Array): string | null {
    if (this.#closed) return null;
    if (this.#queued >= sendQueueLength) return sendQueueFull;
    list[0] = bytes;
    return this.#sent(this.#handle.send(nextSend, list, 1, true), bytes);
  }

  sendTo(bytes: Uint8Array, address: string, port: number): string | null {
    if (this.#closed) return null;
    if (this.#queued >= sendQueueLength) return sendQueueFull;
    list[0] = bytes;
    // As it was received: a socket of both families calls an IPv4 client ::ffff:192.0.2.1.
    const result = address.includes(':')
      ? this.#handle.send6(nextSend, list, 1, port, address, true)
      : this.#handle.send(nextSend, list, 1, port, address, true);
    return this.#sent(result, bytes);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#handle.close();
  }

  #sent(result: number, bytes: Uint8Array): string | null {
    if (result > 0) return null;
    if (result < 0) return errorName(result);
    // Queued: the request and the bytes belong to it until it is through.
    nextSend.bytes = bytes;
    nextSend.oncomplete = () => {
      this.#queued--;
    };
    nextSend = new SendWrap();
    this.#queued++;
    return null;
  }
}
