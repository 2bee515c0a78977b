/**
 * Gives a packet new addresses and ports in place and keeps every checksum right, whichever of three states
 * the kernel handed its L4 checksum over in:
 *
 *   complete  an ordinary checksum: changed by RFC 1624, so that a wrong one stays wrong
 *   partial   the field holds the folded pseudo-header sum, and whoever sends the packet adds the rest: only the
 *             addresses go into it, ports are summed later
 *
 * IPv4 UDP without a checksum (0) stays without; a UDP checksum that comes out as 0 is sent as 0xFFFF (RFC 768).
 */
import { adjustChecksum, adjustPartialSum, deltaOf, deltaOfWords } from './checksum.ts';
import { Icmp } from './icmp.ts';
import { Ipv4 } from './ipv4.ts';
import { Ipv6 } from './ipv6.ts';
import { destinationAt, Fragment, type Packet, Protocol, sourceAt } from './packet.ts';
import { Tcp } from './tcp.ts';
import { Udp } from './udp.ts';

/**
 * Writes new addresses (four words each, as in `Packet.words`, of the packet's own family) into the IP header
 * and, for IPv4, its checksum. Answers with the delta, which the transport's pseudo-header needs.
 */
export function rewriteAddresses(
  view: DataView,
  packet: Packet,
  source: Int32Array,
  sourceFrom: number,
  destination: Int32Array,
  destinationFrom: number,
): number {
  const start = packet.start;
  if (packet.version === 4) {
    const delta =
      deltaOfWords(packet.words, sourceAt + 3, source, sourceFrom + 3, 1) +
      deltaOfWords(packet.words, destinationAt + 3, destination, destinationFrom + 3, 1);
    view.setInt32(start + Ipv4.source, source[sourceFrom + 3]!);
    view.setInt32(start + Ipv4.destination, destination[destinationFrom + 3]!);
    const checksum = view.getUint16(start + Ipv4.checksum);
    view.setUint16(start + Ipv4.checksum, adjustChecksum(checksum, delta));
    return delta;
  }
  for (let index = 0; index < 4; index++) {
    view.setInt32(start + Ipv6.source + (index << 2), source[sourceFrom + index]!);
    view.setInt32(start + Ipv6.destination + (index << 2), destination[destinationFrom + index]!);
  }
  return (
    deltaOfWords(packet.words, sourceAt, source, sourceFrom, 4) +
    deltaOfWords(packet.words, destinationAt, destination, destinationFrom, 4)
  );
}

/**
 * Writes new ports into a TCP or UDP header and brings its checksum up to date with them and with
 * `addressDelta`. A later fragment has neither and must not come here.
 */
export function rewritePorts(
  view: DataView,
  packet: Packet,
  sourcePort: number,
  destinationPort: number,
  addressDelta: number,
  partial: boolean,
): void {
  const at = packet.transport;
  view.setUint16(at + Tcp.sourcePort, sourcePort);
  view.setUint16(at + Tcp.destinationPort, destinationPort);
  const udp = packet.protocol === Protocol.udp;
  const field = at + (udp ? Udp.checksum : Tcp.checksum);
  const before = view.getUint16(field);
  if (partial) {
    view.setUint16(field, adjustPartialSum(before, addressDelta));
    return;
  }
  if (udp && before === 0) return;
  const delta =
    addressDelta + deltaOf(packet.sourcePort, sourcePort) + deltaOf(packet.destinationPort, destinationPort);
  const after = adjustChecksum(before, delta);
  view.setUint16(field, udp && after === 0 ? 0xffff : after);
}

/** Brings an ICMPv6 checksum up to date with new addresses; ICMP's does not cover them. */
export function rewriteIcmpPseudoHeader(view: DataView, packet: Packet, addressDelta: number): void {
  if (packet.version === 6 && packet.fragment !== Fragment.later) {
    adjustIcmpChecksum(view, packet, addressDelta);
  }
}

/** Brings an ICMP or ICMPv6 checksum up to date with a delta of the message. */
export function adjustIcmpChecksum(view: DataView, packet: Packet, delta: number): void {
  const field = packet.transport + Icmp.checksum;
  view.setUint16(field, adjustChecksum(view.getUint16(field), delta));
}
