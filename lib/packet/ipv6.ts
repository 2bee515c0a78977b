/**
 * The IPv6 header and the chain of extension headers behind it (RFC 8200 §3, §4).
 *
 *    0               8               16              24            31
 *   ├───────┬───────┴───────┬───────┴───────────────┴───────────────┤
 *   │ 6     │ traffic class │ flow label                            │  0
 *   ├───────┴───────────────┴───────┬───────────────┬───────────────┤
 *   │ payload length                │ next header   │ hop limit     │  4
 *   ├───────────────────────────────┴───────────────┴───────────────┤
 *   │ source address, 16 bytes                                      │  8
 *   ├───────────────────────────────────────────────────────────────┤
 *   │ destination address, 16 bytes                                 │ 24
 *   └───────────────────────────────────────────────────────────────┘ 40
 *   hop-by-hop, destination options, routing:  next │ length / 8 − 1 │ …
 *   fragment:  next │ 0 │ offset (13 bits, in 8 bytes) · 00 · M │ identification (32 bits)
 *   authentication:  next │ length / 4 − 2 │ …
 *
 * The walk is bounded: it follows at most `maximumExtensionHeaders` and only ever moves forward.
 */
import { Fragment, mappedWord, Outcome, type Packet } from './packet.ts';

/** Field offsets within the header, in bytes. */
export const Ipv6 = {
  payloadLength: 4,
  nextHeader: 6,
  hopLimit: 7,
  source: 8,
  destination: 24,
  headerLength: 40,
} as const;

/** Numbers of extension headers that others ask for. */
export const hopByHop = 0;
export const fragmentHeader = 44;

const routing = 43;
const authentication = 51;
const destinationOptions = 60;
const mobility = 135;

/** RFC 8200 §4.1 knows seven in good order; nobody sends more. */
const maximumExtensionHeaders = 8;

function isMapped(words: Int32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === mappedWord;
}

/**
 * Reads the header at `start` and walks to the transport; no byte at or behind `limit` is touched. A `quoted`
 * packet (inside an ICMP error) may end before its own length says. Answers with an `Outcome`.
 */
export function parseIpv6(
  packet: Packet,
  view: DataView,
  start: number,
  limit: number,
  quoted: boolean,
): number {
  if (limit - start < Ipv6.headerLength) return Outcome.truncated;
  const end = start + Ipv6.headerLength + view.getUint16(start + Ipv6.payloadLength);
  if (end > limit && !quoted) return Outcome.truncated;

  packet.version = 6;
  packet.start = start;
  packet.end = Math.min(end, limit);
  packet.fragment = Fragment.none;
  const words = packet.words;
  for (let index = 0; index < 8; index++) {
    words[index] = view.getInt32(start + Ipv6.source + (index << 2));
  }
  if (isMapped(words, 0) || isMapped(words, 4)) return Outcome.badAddress;

  packet.protocol = view.getUint8(start + Ipv6.nextHeader);
  packet.transport = start + Ipv6.headerLength;
  return walkExtensionHeaders(packet, view);
}

function walkExtensionHeaders(packet: Packet, view: DataView): number {
  for (let count = 0; count <= maximumExtensionHeaders; count++) {
    const at = packet.transport;
    let length: number;
    switch (packet.protocol) {
      case hopByHop:
      case destinationOptions:
      case routing:
      case mobility:
      case authentication:
        if (packet.end - at < 8) return Outcome.badExtensionHeader;
        // Until the last segment the destination is not the one that the transport checksum covers.
        if (packet.protocol === routing && view.getUint8(at + 3) !== 0) return Outcome.sourceRouted;
        length = view.getUint8(at + 1);
        length = packet.protocol === authentication ? (length + 2) << 2 : (length + 1) << 3;
        break;
      case fragmentHeader: {
        if (packet.end - at < 8) return Outcome.badExtensionHeader;
        const offsetAndFlag = view.getUint16(at + 2);
        length = 8;
        if ((offsetAndFlag & 0xfff9) === 0) break; // an atomic fragment is a whole datagram (RFC 6946)
        if (packet.fragment !== Fragment.none) return Outcome.badFragment;
        packet.fragmentId = view.getInt32(at + 4);
        packet.fragmentData = at + 8;
        packet.fragmentOffset = offsetAndFlag & 0xfff8;
        packet.moreFragments = (offsetAndFlag & 1) !== 0;
        if (packet.fragmentOffset === 0) {
          packet.fragment = Fragment.first;
          break;
        }
        packet.fragment = Fragment.later;
        packet.protocol = view.getUint8(at);
        packet.transport = at + 8;
        return Outcome.ok;
      }
      default:
        return Outcome.ok;
    }
    if (at + length > packet.end) {
      // RFC 7112: the first fragment must hold the whole chain.
      return packet.fragment === Fragment.first ? Outcome.tinyFragment : Outcome.badExtensionHeader;
    }
    packet.protocol = view.getUint8(at);
    packet.transport = at + length;
  }
  return Outcome.tooManyExtensionHeaders;
}
