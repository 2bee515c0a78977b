/** What Node lacks of Linux's sockets. Start at {@link RawSocket}, {@link Tun} or {@link UdpGroup}. */
export { LinuxSocketError, type LinuxSocketErrorCode } from './errors.ts';
export type { PacketCounters } from './native.ts';
export { RawSocket, type RawSocketOptions } from './raw-socket.ts';
export { Tun, type TunOptions } from './tun.ts';
export { RecordWord, recordWords, type UdpBindOptions, UdpGroup } from './udp-group.ts';
