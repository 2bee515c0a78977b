/**
 * The packet that stands for a flow when it is traced: a SYN or an acknowledgement without data, or an empty datagram.
 * Everything about it that a balancer does not look at is as usual.
 */
import { type FlowTuple, protocolNumber } from '../hash/flow-key.ts';
import { ipFamily, parseIp } from '../model/ip.ts';
import { checksumOf, pseudoHeaderSum } from '../packet/checksum.ts';
import { Ipv4 } from '../packet/ipv4.ts';
import { Ipv6 } from '../packet/ipv6.ts';
import { Packet } from '../packet/packet.ts';
import { parsePacket } from '../packet/parse.ts';
import { Tcp, TcpFlag } from '../packet/tcp.ts';
import { Udp } from '../packet/udp.ts';

const hopLimit = 64;
const dontFragment = 0x4000;
const window = 0xffff;

/** A packet of the flow, from the client to the VIP; `opening` says which TCP segment. Both ends are of one family. */
export function probePacket(flow: FlowTuple, opening: boolean): Uint8Array {
  const family = ipFamily(flow.vipAddress) === 4 ? 4 : 6;
  const headerLength = family === 4 ? Ipv4.minimumLength : Ipv6.headerLength;
  const transportLength = flow.protocol === 'tcp' ? Tcp.minimumLength : Udp.headerLength;
  const bytes = new Uint8Array(headerLength + transportLength);
  const view = new DataView(bytes.buffer);
  if (family === 4) writeIpv4(bytes, view, flow);
  else writeIpv6(bytes, view, flow, transportLength);
  writeTransport(view, headerLength, flow, opening);
  const packet = new Packet();
  parsePacket(packet, view, 0, bytes.length);
  const pseudo = pseudoHeaderSum(packet.words, family, protocolNumber[flow.protocol], transportLength);
  const sum = checksumOf(pseudo, view, headerLength, transportLength);
  if (flow.protocol === 'tcp') view.setUint16(headerLength + Tcp.checksum, sum);
  else view.setUint16(headerLength + Udp.checksum, sum === 0 ? 0xffff : sum);
  return bytes;
}

function writeIpv4(bytes: Uint8Array, view: DataView, flow: FlowTuple): void {
  view.setUint8(0, 0x45);
  view.setUint16(Ipv4.totalLength, bytes.length);
  view.setUint16(Ipv4.fragment, dontFragment);
  view.setUint8(Ipv4.timeToLive, hopLimit);
  view.setUint8(Ipv4.protocol, protocolNumber[flow.protocol]);
  bytes.set(addressBytes(flow.clientAddress).subarray(12), Ipv4.source);
  bytes.set(addressBytes(flow.vipAddress).subarray(12), Ipv4.destination);
  view.setUint16(Ipv4.checksum, checksumOf(0, view, 0, Ipv4.minimumLength));
}

function writeIpv6(bytes: Uint8Array, view: DataView, flow: FlowTuple, transportLength: number): void {
  view.setUint8(0, 0x60);
  view.setUint16(Ipv6.payloadLength, transportLength);
  view.setUint8(Ipv6.nextHeader, protocolNumber[flow.protocol]);
  view.setUint8(Ipv6.hopLimit, hopLimit);
  bytes.set(addressBytes(flow.clientAddress), Ipv6.source);
  bytes.set(addressBytes(flow.vipAddress), Ipv6.destination);
}

function writeTransport(view: DataView, at: number, flow: FlowTuple, opening: boolean): void {
  view.setUint16(at + Tcp.sourcePort, flow.clientPort);
  view.setUint16(at + Tcp.destinationPort, flow.vipPort);
  if (flow.protocol === 'udp') {
    view.setUint16(at + Udp.length, Udp.headerLength);
    return;
  }
  view.setUint8(at + Tcp.dataOffset, (Tcp.minimumLength / 4) << 4);
  view.setUint8(at + Tcp.flags, opening ? TcpFlag.syn : TcpFlag.ack);
  view.setUint16(at + Tcp.window, window);
}

function addressBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(16);
  parseIp(text, bytes, 0);
  return bytes;
}
