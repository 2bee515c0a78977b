/**
 * ICMP and ICMPv6 errors (RFC 792, RFC 4443 §3) in answer to a packet: why it goes no further, told to who sent it in
 * the name of whom it was for. Written into the free bytes in front of it, so that what is quoted stays where it is.
 *
 *   │ IP header, 20 or 40 │ type, code, checksum │ rest, 4 │ the packet, from its IP header on, as far as it fits │
 *   └─ start                                               └─ packet.start
 */
import { checksumOf, pseudoHeaderSum } from '../packet/checksum.ts';
import { Icmp } from '../packet/icmp.ts';
import { Ipv4 } from '../packet/ipv4.ts';
import { Ipv6 } from '../packet/ipv6.ts';
import { type Packet, Protocol } from '../packet/packet.ts';

const timeToLive = 64;

/** What every host takes in one piece: RFC 1812 §4.3.2.3, RFC 4443 §2.4 (c). */
const longest4 = 576;
const longest6 = 1280;

/** The length of an error that quotes `packet`: at most 576 bytes over IPv4, and 1280 over IPv6. */
export function icmpErrorLength(packet: Packet): number {
  const longest = packet.version === 4 ? longest4 : longest6;
  return Math.min(longest, overheadOf(packet) + packet.end - packet.start);
}

/**
 * Writes an error over `packet` in front of it, of the type and code of its own family. `rest` is the word behind the
 * checksum. Answers with where it begins: 28 bytes before the packet, or 48.
 */
export function writeIcmpError(
  view: DataView,
  packet: Packet,
  type: number,
  code: number,
  rest: number,
): number {
  const start = packet.start - overheadOf(packet);
  const length = icmpErrorLength(packet);
  const at = packet.start - Icmp.headerLength;
  const message = start + length - at;
  view.setUint32(at, ((type << 8) | code) << 16);
  view.setInt32(at + 4, rest);
  if (packet.version === 4) {
    writeIpv4(view, start, length, packet.words);
    view.setUint16(at + Icmp.checksum, checksumOf(0, view, at, message));
  } else {
    writeIpv6(view, start, message, packet.words);
    const pseudo = pseudoHeaderSum(packet.words, 6, Protocol.icmpv6, message);
    view.setUint16(at + Icmp.checksum, checksumOf(pseudo, view, at, message));
  }
  return start;
}

function overheadOf({ version }: Packet): number {
  return (version === 4 ? Ipv4.minimumLength : Ipv6.headerLength) + Icmp.headerLength;
}

/** From the packet's destination to its source. */
function writeIpv4(view: DataView, start: number, length: number, words: Int32Array): void {
  view.setInt32(start, 0x45000000 | length);
  view.setInt32(start + Ipv4.identification, 0);
  view.setInt32(start + Ipv4.timeToLive, (timeToLive << 24) | (Protocol.icmp << 16));
  view.setInt32(start + Ipv4.source, words[7]!);
  view.setInt32(start + Ipv4.destination, words[3]!);
  view.setUint16(start + Ipv4.checksum, checksumOf(0, view, start, Ipv4.minimumLength));
}

function writeIpv6(view: DataView, start: number, payload: number, words: Int32Array): void {
  view.setInt32(start, 0x60000000);
  view.setInt32(start + Ipv6.payloadLength, (payload << 16) | (Protocol.icmpv6 << 8) | timeToLive);
  for (let index = 0; index < 8; index++) {
    view.setInt32(start + Ipv6.source + (index << 2), words[index ^ 4]!);
  }
}
