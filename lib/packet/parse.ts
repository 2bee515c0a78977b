/**
 * Takes a packet apart by offsets. Whatever the bytes say, nothing at or behind the limit is read, nothing is
 * thrown and nothing allocated; a packet that would have to be guessed at is refused with the reason.
 */
import { parseIcmp } from './icmp.ts';
import { parseIpv4 } from './ipv4.ts';
import { parseIpv6 } from './ipv6.ts';
import { Fragment, Outcome, type Packet, Protocol } from './packet.ts';
import { parseTcp } from './tcp.ts';
import { parseUdp } from './udp.ts';

/** The largest datagram that fragments can add up to (RFC 791 §3.2, RFC 8200 §4.5). */
const largestDatagram = 65_535;

/**
 * Fills `packet` from the bytes in [start, limit) of `view`. Answers with an `Outcome`; the fields count only
 * if it is `ok`. A transport that is not understood is no mistake: it has `protocol` and no ports.
 */
export function parsePacket(packet: Packet, view: DataView, start: number, limit: number): number {
  return parse(packet, view, start, limit, false);
}

/**
 * The same for the packet that an ICMP error quotes, which may be cut short anywhere behind the first eight
 * bytes of its transport header (RFC 792, RFC 1812 §4.3.2.3).
 */
export function parseQuoted(packet: Packet, view: DataView, start: number, limit: number): number {
  return parse(packet, view, start, limit, true);
}

function parse(packet: Packet, view: DataView, start: number, limit: number, quoted: boolean): number {
  if (start >= limit) return Outcome.truncated;
  const version = view.getUint8(start) >> 4;
  let outcome: number;
  if (version === 4) {
    outcome = parseIpv4(packet, view, start, limit, quoted);
  } else if (version === 6) {
    outcome = parseIpv6(packet, view, start, limit, quoted);
  } else {
    outcome = Outcome.badIpVersion;
  }
  if (outcome !== Outcome.ok) return outcome;
  packet.sourcePort = 0;
  packet.destinationPort = 0;
  if (packet.fragment !== Fragment.none && !quoted) {
    const refused = refuseFragment(packet);
    if (refused !== Outcome.ok) return refused;
  }
  return packet.fragment === Fragment.later ? Outcome.ok : parseTransport(packet, view, quoted);
}

function parseTransport(packet: Packet, view: DataView, quoted: boolean): number {
  switch (packet.protocol) {
    case Protocol.tcp:
      return parseTcp(packet, view, quoted);
    case Protocol.udp:
      return parseUdp(packet, view, quoted);
    case Protocol.icmp:
      return packet.version === 4 ? parseIcmp(packet, view) : Outcome.ok;
    case Protocol.icmpv6:
      return packet.version === 6 ? parseIcmp(packet, view) : Outcome.ok;
    default:
      return Outcome.ok;
  }
}

/** What no honest sender's fragment looks like: wrong multiples, an end past 64 KiB, RFC 1858's tiny overlap. */
function refuseFragment(packet: Packet): number {
  const length = packet.end - packet.fragmentData;
  if (length === 0 || (packet.moreFragments && (length & 7) !== 0)) return Outcome.badFragment;
  if (packet.fragmentOffset + length > largestDatagram) return Outcome.badFragment;
  // RFC 3128: a fragment at offset 8 can only be there to overwrite the flags of a TCP header.
  if (packet.fragmentOffset === 8 && packet.protocol === Protocol.tcp) return Outcome.tinyFragment;
  return Outcome.ok;
}
