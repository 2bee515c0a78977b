/** A TUN device: the machine's own end of a wire whose other end is this process. */
import { LinuxSocketError, systemError, tunError, within } from './errors.ts';
import { native } from './native.ts';
import { PacketSender } from './packet-sender.ts';

export interface TunOptions {
  /** 68–65535 bytes. Default: the system's, 1500. */
  readonly mtu?: number;
}

/** The kernel's limit (IFNAMSIZ), less a zero. */
const longestName = 15;

/**
 * A device that lives until `close`, or the end of its thread. Packets that are written to it arrive on this machine as
 * from a network; packets that the machine routes to it can be read. It is made without addresses, and down:
 * `ip link set NAME up` and its like are left to the caller.
 */
export class Tun extends PacketSender {
  readonly name: string;

  /**
   * `name` is that of the device; a `%d` in it becomes the first free number. Throws `ERR_SOCKETS_NOT_PERMITTED`,
   * `ERR_SOCKETS_BUSY`, `ERR_SOCKETS_UNSUPPORTED`, `ERR_SOCKETS_NO_BINARY`, `ERR_SOCKETS_ARGUMENT`.
   */
  constructor(name = 'tun%d', options: TunOptions = {}) {
    const mtu = options.mtu === undefined ? 0 : within('mtu', options.mtu, 68, 65_535);
    if (!/^[^\s/:]+$/.test(name) || name.length > longestName) {
      throw new LinuxSocketError('ERR_SOCKETS_ARGUMENT', `no device can be called "${name}"`);
    }
    const opened = native().openTun(name, mtu);
    if (typeof opened === 'number') throw tunError(name, opened);
    super(opened.handle);
    this.name = opened.name;
  }

  /**
   * Lets the first `count` packets arrive: packet `i` is `lengths[i]` bytes at `offsets[i]` of `bytes`, IPv4 or IPv6.
   * Returns how many the device took (none while it is down); the others are counted. Never waits. Throws
   * `ERR_SOCKETS_ARGUMENT`, and writes none, if one does not lie within `bytes`.
   */
  write(bytes: Uint8Array, offsets: Uint32Array, lengths: Uint32Array, count: number): number {
    return this.sendPackets(bytes, offsets, lengths, count);
  }

  /** Reads one packet that the machine has routed to the device. Returns its length, or 0 if there is none now. */
  read(into: Uint8Array): number {
    this.refuseClosed();
    const result = native().read(this.handle, into);
    if (result < 0) throw systemError('read from the TUN device', result);
    return result;
  }
}
