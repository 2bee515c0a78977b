/**
 * The IPv4 header (RFC 791 §3.1).
 *
 *    0               8               16              24            31
 *   ├───────┬───────┼───────────────┼───────────────┴───────────────┤
 *   │ 4     │ IHL   │ DSCP  · ECN   │ total length                  │  0
 *   ├───────┴───────┴───────────────┼──┬──┬──┬──────────────────────┤
 *   │ identification                │0 │DF│MF│ fragment offset / 8  │  4
 *   ├───────────────┬───────────────┼──┴──┴──┴──────────────────────┤
 *   │ time to live  │ protocol      │ header checksum               │  8
 *   ├───────────────┴───────────────┴───────────────────────────────┤
 *   │ source address                                                │ 12
 *   ├───────────────────────────────────────────────────────────────┤
 *   │ destination address                                           │ 16
 *   ├───────────────────────────────────────────────────────────────┤
 *   │ options, (IHL − 5) × 4 bytes: passed on as they are           │ 20
 *   └───────────────────────────────────────────────────────────────┘
 */
import { Fragment, mappedWord, Outcome, type Packet } from './packet.ts';

/** Field offsets within the header, in bytes. */
export const Ipv4 = {
  totalLength: 2,
  identification: 4,
  fragment: 6,
  timeToLive: 8,
  protocol: 9,
  checksum: 10,
  source: 12,
  destination: 16,
  minimumLength: 20,
} as const;

/** Parts of the fragment field; the offset counts units of 8 bytes. */
export const Ipv4Fragment = { dontFragment: 0x4000, moreFragments: 0x2000, offset: 0x1fff } as const;

/**
 * Reads the header at `start`; no byte at or behind `limit` is touched. A `quoted` packet (inside an ICMP error)
 * may end before its own length says. Answers with an `Outcome`.
 */
export function parseIpv4(
  packet: Packet,
  view: DataView,
  start: number,
  limit: number,
  quoted: boolean,
): number {
  if (limit - start < Ipv4.minimumLength) return Outcome.truncated;
  const headerLength = (view.getUint8(start) & 0x0f) << 2;
  const totalLength = view.getUint16(start + Ipv4.totalLength);
  if (headerLength < Ipv4.minimumLength) return Outcome.badIpHeader;
  if (totalLength < headerLength) return Outcome.badIpLength;
  const transport = start + headerLength;
  const end = start + totalLength;
  if (transport > limit || (end > limit && !quoted)) return Outcome.truncated;

  packet.version = 4;
  packet.start = start;
  packet.end = Math.min(end, limit);
  packet.transport = transport;
  packet.protocol = view.getUint8(start + Ipv4.protocol);
  const words = packet.words;
  words[0] = 0;
  words[1] = 0;
  words[2] = mappedWord;
  words[3] = view.getInt32(start + Ipv4.source);
  words[4] = 0;
  words[5] = 0;
  words[6] = mappedWord;
  words[7] = view.getInt32(start + Ipv4.destination);

  const fragment = view.getUint16(start + Ipv4.fragment);
  if ((fragment & (Ipv4Fragment.moreFragments | Ipv4Fragment.offset)) === 0) {
    packet.fragment = Fragment.none;
    return Outcome.ok;
  }
  packet.fragmentId = view.getUint16(start + Ipv4.identification);
  packet.fragmentOffset = (fragment & Ipv4Fragment.offset) << 3;
  packet.fragmentData = transport;
  packet.moreFragments = (fragment & Ipv4Fragment.moreFragments) !== 0;
  packet.fragment = packet.fragmentOffset === 0 ? Fragment.first : Fragment.later;
  return Outcome.ok;
}
