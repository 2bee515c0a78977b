/** What an ICMP or ICMPv6 message is to a balancer, whatever its family. */
import { IcmpType, isIcmpError } from './icmp.ts';
import { Icmpv6Type, isIcmpv6Error } from './icmpv6.ts';
import { type Packet, Protocol } from './packet.ts';

export const IcmpKind = { other: 0, error: 1, echoRequest: 2 } as const;

/** One of `IcmpKind`; `other` for packets that are no ICMP of their own family. */
export function icmpKindOf({ version, protocol, icmpType }: Packet): number {
  if (version === 4) {
    if (protocol !== Protocol.icmp) return IcmpKind.other;
    if (isIcmpError(icmpType)) return IcmpKind.error;
    return icmpType === IcmpType.echoRequest ? IcmpKind.echoRequest : IcmpKind.other;
  }
  if (protocol !== Protocol.icmpv6) return IcmpKind.other;
  if (isIcmpv6Error(icmpType)) return IcmpKind.error;
  return icmpType === Icmpv6Type.echoRequest ? IcmpKind.echoRequest : IcmpKind.other;
}
