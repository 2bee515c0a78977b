/**
 * ICMP (RFC 792): echo, and the errors that quote the packet they are about.
 *
 *    0               8               16              24            31
 *   ├───────────────┼───────────────┼───────────────┴───────────────┤
 *   │ type          │ code          │ checksum                      │  0
 *   ├───────────────┴───────────────┼───────────────────────────────┤
 *   │ echo: identifier              │ echo: sequence                │  4
 *   │ error: unused                 │ error: next-hop MTU           │
 *   ├───────────────────────────────┴───────────────────────────────┤
 *   │ echo: data   ·   error: IP header and ≥ 8 bytes of the packet │  8
 *   └───────────────────────────────────────────────────────────────┘
 * The checksum covers the message alone, no addresses.
 */
import { Fragment, Outcome, type Packet } from './packet.ts';

/** Field offsets within the header, in bytes; ICMPv6 shares them. */
export const Icmp = { type: 0, code: 1, checksum: 2, rest: 4, headerLength: 8 } as const;

export const IcmpType = {
  echoReply: 0,
  unreachable: 3,
  sourceQuench: 4,
  redirect: 5,
  echoRequest: 8,
  timeExceeded: 11,
  parameterProblem: 12,
} as const;

/** Of an unreachable. */
export const IcmpCode = {
  hostUnreachable: 1,
  portUnreachable: 3,
  fragmentationNeeded: 4,
  sourceRouteFailed: 5,
} as const;

/** Reads the header at `packet.transport`, of ICMP and of ICMPv6. */
export function parseIcmp(packet: Packet, view: DataView): number {
  const at = packet.transport;
  if (packet.end - at < Icmp.headerLength) {
    return packet.fragment === Fragment.first ? Outcome.tinyFragment : Outcome.badIcmpHeader;
  }
  packet.icmpType = view.getUint8(at);
  packet.payload = at + Icmp.headerLength;
  return Outcome.ok;
}

/**
 * Whether a message of this type quotes a packet and goes on to its sender. A redirect quotes one too, but is
 * about the link it came from and goes no further.
 */
export function isIcmpError(type: number): boolean {
  return (
    type === IcmpType.unreachable ||
    type === IcmpType.timeExceeded ||
    type === IcmpType.parameterProblem ||
    type === IcmpType.sourceQuench
  );
}
