/**
 * UDP sockets by the thousand on one event loop: what has arrived at any of them comes by one call, in batches, and
 * answers leave together. A datagram costs neither a buffer nor an object.
 */
import { LinuxSocketError, systemError, within } from './errors.ts';
import { type GroupHandle, native } from './native.ts';

export interface UdpBindOptions {
  /** An IPv6 socket leaves IPv4 alone. Default false. */
  readonly onlyIpv6?: boolean;
  /** Its records tell which address of this machine a datagram was sent to, and are sent from the one they tell. */
  readonly tellsLocal?: boolean;
  /** Default 4 MiB; unprivileged, the system's limit. */
  readonly receiveBufferBytes?: number;
  /** Default 4 MiB; unprivileged, the system's limit. */
  readonly sendBufferBytes?: number;
}

/**
 * Where the words of a record stand; record `i` begins at word `i * recordWords`. Addresses are four words,
 * the most significant first, IPv4 as ::ffff:a.b.c.d.
 *
 *      0        1        2        3      4 5 6 7   8 9 10 11   12     13 14 15
 *     +--------+--------+--------+------+---------+-----------+-------+-------+
 *     | socket | offset | length | port | peer    | local     | scope |       |
 *     +--------+--------+--------+------+---------+-----------+-------+-------+
 */
export const RecordWord = {
  socket: 0,
  /** Where in `bytes` the datagram lies. */
  offset: 1,
  /** Of the datagram, or an errno negated, where nothing was received or sent. */
  length: 2,
  /** The peer's, at bound sockets. So are the others. */
  port: 3,
  peer: 4,
  /** The address of this machine; zeros where that is not told. */
  local: 8,
  /** Index of the interface, for an address of a link such as fe80::1. */
  scope: 12,
} as const;

export const recordWords = 16;

/**
 * A group of UDP sockets, each known by a number. From the first socket to the last the group keeps the process alive.
 * Numbers that `bind` and `connect` return are an errno negated where they are below 0. The number of a closed socket is
 * not given again before the batch is through in which it was closed.
 */
export class UdpGroup {
  /** The datagrams of the batch, and behind them, from `scratch` on, 64 KiB for what else is to be sent. */
  readonly bytes: Uint8Array;
  readonly scratch: number;
  /** The records of the batch; it has room for as many as a batch may have. */
  readonly received: Int32Array;
  /** To be filled in for `flush`; as long as `received`. */
  readonly outgoing: Int32Array;
  readonly #handle: GroupHandle;

  /**
   * `onBatch` is called when datagrams have arrived, with the number of records; these, and the bytes that they speak
   * of, are good until it returns. Throws `ERR_SOCKETS_NO_BINARY` or `ERR_SOCKETS_SYSTEM`.
   */
  constructor(onBatch: (count: number) => void) {
    const opened = native().openGroup(onBatch);
    if (typeof opened === 'number') throw systemError('open a group of sockets', opened);
    this.bytes = opened.bytes;
    this.scratch = opened.bytes.length - 65_536;
    this.received = opened.received;
    this.outgoing = opened.outgoing;
    this.#handle = opened.handle;
  }

  /** A socket that receives at a literal address, `::` or `0.0.0.0` for every one. */
  bind(address: string, port: number, options: UdpBindOptions = {}): number {
    return native().bindUdp(
      this.#handle,
      address,
      within('port', port, 0, 65_535),
      options.onlyIpv6 ? 1 : 0,
      options.tellsLocal ? 1 : 0,
      within('receiveBufferBytes', options.receiveBufferBytes ?? 4 << 20, 1, 0x3fff_ffff),
      within('sendBufferBytes', options.sendBufferBytes ?? 4 << 20, 1, 0x3fff_ffff),
    );
  }

  /** A socket that hears one peer only. Its records tell no addresses. */
  connect(address: string, port: number): number {
    return native().connectUdp(this.#handle, address, within('port', port, 0, 65_535));
  }

  /** The port that a socket is bound to. */
  port(socket: number): number {
    return native().portOf(this.#handle, socket);
  }

  /** Sends at once from a connected socket. Returns 0 or an errno negated, perhaps of an earlier datagram. */
  send(socket: number, offset: number, length: number): number {
    return native().sendUdp(this.#handle, socket, offset, length);
  }

  /**
   * Sends the first `count` of the outgoing records, which are for bound sockets. Returns how many could not be sent; the
   * length of those has become an errno negated.
   */
  flush(count: number): number {
    const failed = native().flushUdp(this.#handle, count);
    if (failed < 0) throw new LinuxSocketError('ERR_SOCKETS_CLOSED', 'the group was closed');
    return failed;
  }

  /** Idempotent, as long as the number has not been given again. */
  closeSocket(socket: number): void {
    native().closeUdp(this.#handle, socket);
  }

  /** Closes all its sockets. Idempotent. */
  close(): void {
    native().closeGroup(this.#handle);
  }
}
