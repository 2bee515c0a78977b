/** The time to live of IPv4, the hop limit of IPv6. */
import { adjustChecksum, deltaOf } from './checksum.ts';
import { Ipv4 } from './ipv4.ts';
import { Ipv6 } from './ipv6.ts';
import type { Packet } from './packet.ts';

/** How many more routers may pass the packet on, this one included. */
export function timeToLiveOf(view: DataView, { version, start }: Packet): number {
  return view.getUint8(start + (version === 4 ? Ipv4.timeToLive : Ipv6.hopLimit));
}

/** Sets it, and brings IPv4's header checksum up to date. */
export function setTimeToLive(view: DataView, { version, start }: Packet, value: number): void {
  if (version === 6) {
    view.setUint8(start + Ipv6.hopLimit, value);
    return;
  }
  const at = start + Ipv4.timeToLive;
  const field = start + Ipv4.checksum;
  const before = view.getUint16(at);
  const after = (value << 8) | (before & 0xff);
  view.setUint16(at, after);
  view.setUint16(field, adjustChecksum(view.getUint16(field), deltaOf(before, after)));
}
