/**
 * Answers an ICMP or ICMPv6 echo request by turning it around where it stands (RFC 792, RFC 4443 §4.2): the
 * addresses change places, the type becomes that of a reply, the time to live begins anew, the data stay.
 * Swapping changes no checksum; the rest is brought up to date by what changed.
 */
import { adjustChecksum, deltaOf } from '../packet/checksum.ts';
import { Icmp, IcmpType } from '../packet/icmp.ts';
import { Icmpv6Type } from '../packet/icmpv6.ts';
import { Ipv4 } from '../packet/ipv4.ts';
import { Ipv6 } from '../packet/ipv6.ts';
import type { Packet } from '../packet/packet.ts';
import { adjustIcmpChecksum, rewriteAddresses } from '../packet/rewrite.ts';

/** RFC 1700's default; the kernel takes one off as it sends the answer on. */
const freshTimeToLive = 64;

/** Whether an ICMP or ICMPv6 packet asks for an echo. */
export function isEchoRequest(packet: Packet): boolean {
  return packet.icmpType === (packet.version === 4 ? IcmpType.echoRequest : Icmpv6Type.echoRequest);
}

/** Turns an echo request into its reply. */
export function answerEcho(view: DataView, packet: Packet): void {
  rewriteAddresses(view, packet, packet.words, 4, packet.words, 0);
  const reply = packet.version === 4 ? IcmpType.echoReply : Icmpv6Type.echoReply;
  view.setUint8(packet.transport + Icmp.type, reply);
  adjustIcmpChecksum(view, packet, deltaOf(packet.icmpType << 8, reply << 8));
  refreshTimeToLive(view, packet);
}

function refreshTimeToLive(view: DataView, packet: Packet): void {
  if (packet.version === 6) {
    view.setUint8(packet.start + Ipv6.hopLimit, freshTimeToLive);
    return;
  }
  const at = packet.start + Ipv4.timeToLive;
  const field = packet.start + Ipv4.checksum;
  const before = view.getUint16(at);
  view.setUint8(at, freshTimeToLive);
  view.setUint16(field, adjustChecksum(view.getUint16(field), deltaOf(before, view.getUint16(at))));
}
