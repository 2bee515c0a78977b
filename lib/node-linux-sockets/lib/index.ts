/** What Node lacks of Linux's sockets. Start at {@link RawSocket} or {@link Tun}. */
export { LinuxSocketError, type LinuxSocketErrorCode } from './errors.ts';
export type { PacketCounters } from './native.ts';
export { RawSocket, type RawSocketOptions } from './raw-socket.ts';
export { Tun, type TunOptions } from './tun.ts';
