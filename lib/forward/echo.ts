/**
 * Echo requests to a VIP (ICMP and ICMPv6), each turned around where it stands (RFC 792, RFC 4443 §4.2): the
 * addresses change places, the type becomes that of a reply, the time to live begins anew, the data stay.
 * Swapping changes no checksum; the rest is brought up to date by what changed.
 */
import { deltaOf } from '../packet/checksum.ts';
import { Icmp, IcmpType } from '../packet/icmp.ts';
import { IcmpKind, icmpKindOf } from '../packet/icmp-kind.ts';
import { Icmpv6Type } from '../packet/icmpv6.ts';
import { destinationAt, type Packet } from '../packet/packet.ts';
import { adjustIcmpChecksum, rewriteAddresses } from '../packet/rewrite.ts';
import { setTimeToLive } from '../packet/time-to-live.ts';
import { isAnswerable } from './admission.ts';
import { Reason } from './reasons.ts';
import type { ServiceTables } from './service-tables.ts';

/** RFC 1700's default; the kernel takes one off as it sends the answer on. */
const freshTimeToLive = 64;

/** Turns an echo request into its reply. */
export function answerEcho(view: DataView, packet: Packet): void {
  rewriteAddresses(view, packet, packet.words, 4, packet.words, 0);
  const reply = packet.version === 4 ? IcmpType.echoReply : Icmpv6Type.echoReply;
  view.setUint8(packet.transport + Icmp.type, reply);
  adjustIcmpChecksum(view, packet, deltaOf(packet.icmpType << 8, reply << 8));
  setTimeToLive(view, packet, freshTimeToLive);
}

/** Answers what asks a VIP for an echo; no other ICMP message but an error is ours. Answers with a `Reason`. */
export function decideEcho(view: DataView, packet: Packet, tables: ServiceTables): number {
  const isRequest = icmpKindOf(packet) === IcmpKind.echoRequest;
  if (!isRequest || !tables.isVipAddress(packet.words, destinationAt)) return Reason.notOurs;
  if (!isAnswerable(packet)) return Reason.badSource;
  answerEcho(view, packet);
  return Reason.echoAnswered;
}
