/** A whole UDP datagram, header by header: for packets of our own making, not for the packet path. */
import { checksumOf, pseudoHeaderSum } from './checksum.ts';
import { Ipv4 } from './ipv4.ts';
import { Ipv6 } from './ipv6.ts';
import { mappedWord, Protocol } from './packet.ts';
import { Udp } from './udp.ts';

export interface Datagram {
  /** Source in words 0–3, destination in 4–7, as in `Packet.words`; both of one family. */
  readonly words: Int32Array;
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

const timeToLive = 64;

/** Writes the datagram at `start`. Answers with its length: 28 bytes over IPv4, 48 over IPv6, and the payload. */
export function writeDatagram(
  view: DataView,
  start: number,
  { words, sourcePort, destinationPort, payload }: Datagram,
): number {
  const version = words[6] === mappedWord && (words[4]! | words[5]!) === 0 ? 4 : 6;
  const length = Udp.headerLength + payload.length;
  const udp = start + (version === 4 ? Ipv4.minimumLength : Ipv6.headerLength);
  if (version === 4) writeIpv4(view, start, length, words);
  else writeIpv6(view, start, length, words);
  view.setUint16(udp + Udp.sourcePort, sourcePort);
  view.setUint16(udp + Udp.destinationPort, destinationPort);
  view.setUint16(udp + Udp.length, length);
  view.setUint16(udp + Udp.checksum, 0);
  payload.forEach((byte, index) => void view.setUint8(udp + Udp.headerLength + index, byte));
  const checksum = checksumOf(pseudoHeaderSum(words, version, Protocol.udp, length), view, udp, length);
  view.setUint16(udp + Udp.checksum, checksum === 0 ? 0xffff : checksum);
  return udp + length - start;
}

function writeIpv4(view: DataView, start: number, length: number, words: Int32Array): void {
  view.setUint32(start, 0x45000000 | (Ipv4.minimumLength + length));
  view.setUint32(start + Ipv4.identification, 0);
  view.setUint32(start + Ipv4.timeToLive, ((timeToLive << 8) | Protocol.udp) << 16);
  view.setInt32(start + Ipv4.source, words[3]!);
  view.setInt32(start + Ipv4.destination, words[7]!);
  view.setUint16(start + Ipv4.checksum, checksumOf(0, view, start, Ipv4.minimumLength));
}

function writeIpv6(view: DataView, start: number, length: number, words: Int32Array): void {
  view.setUint32(start, 0x60000000);
  view.setUint32(start + Ipv6.payloadLength, (length << 16) | (Protocol.udp << 8) | timeToLive);
  for (let index = 0; index < 8; index++) view.setInt32(start + Ipv6.source + (index << 2), words[index]!);
}
