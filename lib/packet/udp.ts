/**
 * The UDP header (RFC 768).
 *
 *    0               8               16              24            31
 *   ├───────────────┴───────────────┼───────────────┴───────────────┤
 *   │ source port                   │ destination port              │  0
 *   ├───────────────────────────────┼───────────────────────────────┤
 *   │ length, header included       │ checksum (IPv4: 0 = none)     │  4
 *   └───────────────────────────────┴───────────────────────────────┘  8
 */
import { Fragment, Outcome, type Packet } from './packet.ts';

/** Field offsets within the header, in bytes. */
export const Udp = {
  sourcePort: 0,
  destinationPort: 2,
  length: 4,
  checksum: 6,
  headerLength: 8,
} as const;

/** Reads the header at `packet.transport`; the length of a fragment or a quoted packet is not held against it. */
export function parseUdp(packet: Packet, view: DataView, quoted: boolean): number {
  const at = packet.transport;
  const available = packet.end - at;
  if (available < Udp.headerLength) {
    return packet.fragment === Fragment.first ? Outcome.tinyFragment : Outcome.badUdpHeader;
  }
  const length = view.getUint16(at + Udp.length);
  if (length < Udp.headerLength) return Outcome.badUdpHeader;
  if (length > available && packet.fragment === Fragment.none && !quoted) return Outcome.badUdpHeader;
  packet.sourcePort = view.getUint16(at);
  packet.destinationPort = view.getUint16(at + Udp.destinationPort);
  packet.payload = at + Udp.headerLength;
  return Outcome.ok;
}
