/** Whole IP packets out, many by one system call. */
import { rawSocketError, within } from './errors.ts';
import { native } from './native.ts';
import { PacketSender } from './packet-sender.ts';

export interface RawSocketOptions {
  /** The mark of every packet sent, for rules and routes (SO_MARK). Default 0: none. */
  readonly mark?: number;
  /** What may wait to leave. Default 4 MiB; unprivileged, the system's limit. */
  readonly sendBufferBytes?: number;
}

/**
 * A socket that sends IP packets of one family as they are, header and all, each to the destination in its own header
 * (raw(7), IP_HDRINCL). It receives nothing. Packets are routed, filtered and marked like all that leave this machine,
 * but never fragmented. Of an IPv4 header the kernel fills in the checksum and the total length, the source and the
 * identification if they are 0; of an IPv6 header, nothing.
 */
export class RawSocket extends PacketSender {
  readonly family: 4 | 6;

  /** Throws `ERR_SOCKETS_NOT_PERMITTED`, `ERR_SOCKETS_UNSUPPORTED`, `ERR_SOCKETS_NO_BINARY`, `ERR_SOCKETS_ARGUMENT`. */
  constructor(family: 4 | 6, options: RawSocketOptions = {}) {
    const handle = native().openRaw(
      family,
      within('mark', options.mark ?? 0, 0, 0xffff_ffff),
      within('sendBufferBytes', options.sendBufferBytes ?? 4 << 20, 1, 0x3fff_ffff),
    );
    if (typeof handle === 'number') throw rawSocketError(handle);
    super(handle);
    this.family = family;
  }

  /**
   * Sends the first `count` packets: packet `i` is `lengths[i]` bytes at `offsets[i]` of `bytes`. Returns how many the
   * kernel took; those that it did not are gone, and counted by reason. Never waits. Throws `ERR_SOCKETS_ARGUMENT`, and
   * sends none, if one does not lie within `bytes`.
   */
  send(bytes: Uint8Array, offsets: Uint32Array, lengths: Uint32Array, count: number): number {
    return this.sendPackets(bytes, offsets, lengths, count);
  }
}
