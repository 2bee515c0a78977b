/**
 * TCP resets (RFC 9293 §3.5.2) in answer to a segment, in whose place they are written. A reset has no options, no
 * data, and checksums of its own.
 *
 *   │ IPv4 header, 20, or IPv6 header, 40 │ TCP header, 20 │
 */
import { checksumOf, pseudoHeaderSum } from '../packet/checksum.ts';
import { Ipv4, Ipv4Fragment } from '../packet/ipv4.ts';
import { Ipv6 } from '../packet/ipv6.ts';
import { type Packet, Protocol } from '../packet/packet.ts';
import { Tcp, TcpFlag } from '../packet/tcp.ts';

const timeToLive = 64;

/** The length of a whole reset over this version of IP. */
export function resetLength(version: number): number {
  return (version === 4 ? Ipv4.minimumLength : Ipv6.headerLength) + Tcp.minimumLength;
}

/** What a reset says; one instance is filled again for every reset. */
export class Reset {
  version = 4;
  /** Source in words 0–3, destination in 4–7, as in `Packet.words`. */
  readonly words = new Int32Array(8);
  sourcePort = 0;
  destinationPort = 0;
  sequence = 0;
  acknowledgement = 0;
  flags: number = TcpFlag.rst;

  /** Becomes the answer to a segment that cannot be accepted. */
  answer(packet: Packet): void {
    this.version = packet.version;
    for (let index = 0; index < 8; index++) this.words[index] = packet.words[index ^ 4]!;
    this.sourcePort = packet.destinationPort;
    this.destinationPort = packet.sourcePort;
    if ((packet.tcpFlags & TcpFlag.ack) !== 0) {
      this.sequence = packet.acknowledgement;
      this.acknowledgement = 0;
      this.flags = TcpFlag.rst;
      return;
    }
    const { syn, fin } = TcpFlag;
    const control = (packet.tcpFlags & syn) === 0 && (packet.tcpFlags & fin) === 0 ? 0 : 1;
    this.sequence = 0;
    this.acknowledgement = (packet.sequence + packet.end - packet.payload + control) | 0;
    this.flags = TcpFlag.rst | TcpFlag.ack;
  }

  /** Writes the whole packet at `start`. Answers with its length: 40 or 60 bytes. */
  write(view: DataView, start: number): number {
    const transport = this.version === 4 ? this.#writeIpv4(view, start) : this.#writeIpv6(view, start);
    view.setUint16(transport, this.sourcePort);
    view.setUint16(transport + Tcp.destinationPort, this.destinationPort);
    view.setInt32(transport + Tcp.sequence, this.sequence);
    view.setInt32(transport + Tcp.acknowledgement, this.acknowledgement);
    view.setUint8(transport + Tcp.dataOffset, (Tcp.minimumLength / 4) << 4);
    view.setUint8(transport + Tcp.flags, this.flags);
    view.setUint16(transport + Tcp.window, 0);
    view.setUint32(transport + Tcp.checksum, 0); // and the urgent pointer
    const pseudo = pseudoHeaderSum(this.words, this.version, Protocol.tcp, Tcp.minimumLength);
    view.setUint16(transport + Tcp.checksum, checksumOf(pseudo, view, transport, Tcp.minimumLength));
    return transport + Tcp.minimumLength - start;
  }

  #writeIpv4(view: DataView, start: number): number {
    view.setUint16(start, 0x4500);
    view.setUint16(start + Ipv4.totalLength, Ipv4.minimumLength + Tcp.minimumLength);
    view.setUint16(start + Ipv4.identification, 0);
    view.setUint16(start + Ipv4.fragment, Ipv4Fragment.dontFragment);
    view.setUint8(start + Ipv4.timeToLive, timeToLive);
    view.setUint8(start + Ipv4.protocol, Protocol.tcp);
    view.setUint16(start + Ipv4.checksum, 0);
    view.setInt32(start + Ipv4.source, this.words[3]!);
    view.setInt32(start + Ipv4.destination, this.words[7]!);
    view.setUint16(start + Ipv4.checksum, checksumOf(0, view, start, Ipv4.minimumLength));
    return start + Ipv4.minimumLength;
  }

  #writeIpv6(view: DataView, start: number): number {
    view.setUint32(start, 0x60000000);
    view.setUint16(start + Ipv6.payloadLength, Tcp.minimumLength);
    view.setUint8(start + Ipv6.nextHeader, Protocol.tcp);
    view.setUint8(start + Ipv6.hopLimit, timeToLive);
    for (let index = 0; index < 8; index++) {
      view.setInt32(start + Ipv6.source + (index << 2), this.words[index]!);
    }
    return start + Ipv6.headerLength;
  }
}
