/**
 * ICMPv6 (RFC 4443): the layout of ICMP with numbers of its own, and a checksum that covers the pseudo-header.
 * Neighbour discovery (types 133–137) is neither error nor echo and is left to the kernel.
 */

export const Icmpv6Type = {
  unreachable: 1,
  packetTooBig: 2,
  timeExceeded: 3,
  parameterProblem: 4,
  echoRequest: 128,
  echoReply: 129,
} as const;

/** Of an unreachable. */
export const Icmpv6Code = { addressUnreachable: 3, portUnreachable: 4 } as const;

/** Whether a message of this type quotes the packet it is about and goes on to its sender. */
export function isIcmpv6Error(type: number): boolean {
  return type >= Icmpv6Type.unreachable && type <= Icmpv6Type.parameterProblem;
}
