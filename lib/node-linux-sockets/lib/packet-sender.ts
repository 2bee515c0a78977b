/** What a raw socket and a TUN device have in common: packets leave in columns, by one call into the kernel's reach. */
import { constants } from 'node:os';
import { LinuxSocketError, systemError } from './errors.ts';
import { type Handle, native, type PacketCounters } from './native.ts';

/** Something open that takes whole IP packets, from its construction until `close`. */
export abstract class PacketSender {
  protected readonly handle: Handle;
  #closed = false;

  protected constructor(handle: Handle) {
    this.handle = handle;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Packet `i` is `lengths[i]` bytes at `offsets[i]` of `bytes`; returns how many the kernel took. */
  protected sendPackets(
    bytes: Uint8Array,
    offsets: Uint32Array,
    lengths: Uint32Array,
    count: number,
  ): number {
    this.refuseClosed();
    const result = native().send(this.handle, bytes, offsets, lengths, count);
    if (result >= 0) return result;
    if (result === -constants.errno.EINVAL) {
      throw new LinuxSocketError('ERR_SOCKETS_ARGUMENT', 'a packet does not lie within its bytes');
    }
    throw systemError('send packets', result);
  }

  protected refuseClosed(): void {
    if (this.#closed) throw new LinuxSocketError('ERR_SOCKETS_CLOSED', 'it was closed');
  }

  /** What became of all packets so far; also after `close`. */
  counters(): PacketCounters {
    return native().counters(this.handle);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native().close(this.handle);
  }
}
