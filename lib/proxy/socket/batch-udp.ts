/**
 * UDP in batches: what has arrived at any socket comes by one call, and the answers to clients leave by another when all
 * of it is through. A datagram that passes costs neither a buffer nor an object: it stays where the kernel has put it.
 *
 *     batch ─┬─▶ bound socket ─▶ client ─▶ its owner ─▶ connected socket: sent at once
 *            └─▶ connected socket ───────▶ its owner ─▶ client: queued, and sent with the batch
 */
import { randomBytes } from 'node:crypto';
import { getSystemErrorName } from 'node:util';
import { RecordWord, recordWords, UdpGroup } from 'node-linux-sockets';
import { TupleHash } from '../../conntrack/half-siphash.ts';
import type { HostPort } from '../../model/spec.ts';
import { BatchBoundSocket } from './batch-bound-socket.ts';
import { BatchConnectedSocket } from './batch-connected-socket.ts';
import { bindError } from './bind-error.ts';
import { bindHost } from './bind-host.ts';
import {
  type BoundSocket,
  type BoundSocketOwner,
  type ConnectedSocket,
  type Datagram,
  type PeerOwner,
  receiveBufferBytes,
  sendQueueFull,
  type UdpTransport,
} from './datagram.ts';

/** A socket as batches reach it. */
export interface BatchSocket {
  /** The transport's datagram is for it; its record begins at word `at` of the batch. */
  received(at: number): void;
  failed(code: string): void;
  /** What it had queued was not sent. */
  unsent(code: string): void;
}

/** All UDP sockets of this thread. The constructor throws a LinuxSocketError where there is no native part. */
export class BatchUdp implements UdpTransport {
  readonly group: UdpGroup;
  /** Finds clients. */
  readonly hash: TupleHash;
  /** What is being told of. */
  readonly datagram: { readonly bytes: Uint8Array; offset: number; length: number };
  /** By their numbers in the group. */
  readonly #sockets: (BatchSocket | undefined)[] = [];
  #queued = 0;

  constructor() {
    const key = randomBytes(8);
    this.group = new UdpGroup((count) => this.#onBatch(count));
    this.hash = new TupleHash({ low: key.readInt32LE(0), high: key.readInt32LE(4) });
    this.datagram = { bytes: this.group.bytes, offset: 0, length: 0 };
  }

  bind({ host, port }: HostPort, owner: BoundSocketOwner): BoundSocket {
    const tellsLocal = host === '' || host === '::' || host === '0.0.0.0';
    const number = bindHost(host, (address, onlyIpv6) =>
      this.group.bind(address, port, { onlyIpv6, tellsLocal, receiveBufferBytes }),
    );
    if (number < 0) throw bindError('udp', { host, port }, getSystemErrorName(number));
    const socket = new BatchBoundSocket(this, number, owner);
    this.#sockets[number] = socket;
    return socket;
  }

  connect(address: string, port: number, owner: PeerOwner): ConnectedSocket | string {
    const number = this.group.connect(address, port);
    if (number < 0) return getSystemErrorName(number);
    const socket = new BatchConnectedSocket(this, number, owner);
    this.#sockets[number] = socket;
    return socket;
  }

  /** Sends from a connected socket. Null once sent, or a code. */
  send(number: number, datagram: Datagram): string | null {
    const result = this.group.send(number, this.#offsetOf(datagram), datagram.length);
    return result === 0 ? null : codeOf(result);
  }

  /** Sends from a bound socket to whom the record at the beginning of `record` came from, when the batch is through. */
  queue(number: number, record: Int32Array, datagram: Datagram): void {
    const { outgoing, bytes } = this.group;
    if (this.#queued * recordWords === outgoing.length) this.flush();
    const at = this.#queued++ * recordWords;
    for (let word = RecordWord.port; word <= RecordWord.scope; word++) outgoing[at + word] = record[word]!;
    outgoing[at + RecordWord.socket] = number;
    outgoing[at + RecordWord.offset] = this.#offsetOf(datagram);
    outgoing[at + RecordWord.length] = datagram.length;
    if (datagram.bytes !== bytes) this.flush();
  }

  /** Sends what is queued. */
  flush(): void {
    const count = this.#queued;
    this.#queued = 0;
    if (count === 0 || this.group.flush(count) === 0) return;
    const { outgoing } = this.group;
    for (let at = 0; at < count * recordWords; at += recordWords) {
      const result = outgoing[at + RecordWord.length]!;
      if (result < 0) this.#sockets[outgoing[at + RecordWord.socket]!]!.unsent(codeOf(result));
    }
  }

  close(number: number): void {
    this.#sockets[number] = undefined;
    this.group.closeSocket(number);
  }

  /** Where it lies among the group's bytes; what comes from elsewhere is copied there. */
  #offsetOf({ bytes, offset, length }: Datagram): number {
    const { group } = this;
    if (bytes === group.bytes) return offset;
    group.bytes.set(bytes.subarray(offset, offset + length), group.scratch);
    return group.scratch;
  }

  #onBatch(count: number): void {
    const { datagram } = this;
    const { received } = this.group;
    try {
      for (let at = 0; at < count * recordWords; at += recordWords) {
        // Undefined once something else in the batch has closed it.
        const socket = this.#sockets[received[at + RecordWord.socket]!];
        datagram.offset = received[at + RecordWord.offset]!;
        datagram.length = received[at + RecordWord.length]!;
        if (datagram.length >= 0) socket?.received(at);
        else socket?.failed(getSystemErrorName(datagram.length));
      }
    } finally {
      this.flush();
    }
  }
}

/** A socket whose buffer is full has, for its owner, the same to say as a device whose queue is. */
function codeOf(negatedErrno: number): string {
  const code = getSystemErrorName(negatedErrno);
  return code === 'EAGAIN' ? sendQueueFull : code;
}
