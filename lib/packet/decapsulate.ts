/**
 * Takes a packet out of the tunnel that it came by: GRE, or IP in IP (IPv4 is protocol 4, IPv6 is 41), over IPv4 or
 * IPv6. Whatever the bytes say, nothing outside of them is read and nothing is thrown.
 *
 * Whether the sender may use the tunnel is for others to say: anyone can send such packets.
 */
import { addBytes, fold } from './checksum.ts';
import { leaveTunnel, trafficClassOf } from './ecn.ts';
import { Gre, GreFault, GrePayload, greHeaderLength } from './gre.ts';
import { Ipv4 } from './ipv4.ts';
import { Ipv6 } from './ipv6.ts';
import { Fragment, Outcome, Packet, Protocol, parseOutcomes } from './packet.ts';
import { parsePacket } from './parse.ts';

const afterParsing = [
  'no-tunnel',
  'tunnel-fragment',
  'bad-gre-header',
  'bad-gre-checksum',
  'unknown-gre-payload',
  'bad-inner-header',
  'congestion-unheard',
] as const;

/** Why nothing was taken out; it begins with what may be wrong with the outer packet itself. */
export const tunnelOutcomes = [...parseOutcomes, ...afterParsing] as const;

const first = parseOutcomes.length;

/** The rest of the list as named numbers; 0 is success. */
export const TunnelOutcome = {
  ok: Outcome.ok,
  /** Some other protocol. */
  noTunnel: first,
  /** The outer packet was cut up, and nobody has put it together again. */
  tunnelFragment: first + 1,
  badGreHeader: first + 2,
  badGreChecksum: first + 3,
  /** Neither IPv4 nor IPv6. */
  unknownGrePayload: first + 4,
  /** Not the IP version that was announced, cut off, or with a wrong header checksum. */
  badInnerHeader: first + 5,
  /** RFC 6040 §4.2: congestion on the way, and an inner packet that cannot be told of it. */
  congestionUnheard: first + 6,
} as const;

/** What was found in a tunnel; one instance is filled again for every packet. */
export class TunnelPacket {
  /** The outer packet. */
  readonly outer = new Packet();
  /** Where the inner packet lies: from the offset of its IP header to the one behind its last byte. */
  innerStart = 0;
  innerEnd = 0;
  /** 4 or 6. */
  innerVersion = 0;
}

/**
 * Finds the packet inside the one in [start, limit) of `view`, and tells it of the congestion that the outer one met
 * (see ecn.ts). Answers with a number of `tunnelOutcomes`; the fields of `found` count only if it is 0.
 */
export function decapsulate(found: TunnelPacket, view: DataView, start: number, limit: number): number {
  const { outer } = found;
  const outcome = parsePacket(outer, view, start, limit);
  if (outcome !== Outcome.ok) return outcome;
  const { protocol } = outer;
  if (protocol !== Protocol.gre && protocol !== Protocol.ipip && protocol !== Protocol.ipv6) {
    return TunnelOutcome.noTunnel;
  }
  if (outer.fragment !== Fragment.none) return TunnelOutcome.tunnelFragment;
  const at = outer.transport;
  const { end } = outer;
  found.innerStart = at;
  found.innerVersion = protocol === Protocol.ipip ? 4 : 6;
  if (protocol === Protocol.gre) {
    const length = greHeaderLength(view, at, end);
    if (length === GreFault.checksum) return TunnelOutcome.badGreChecksum;
    if (length < 0) return TunnelOutcome.badGreHeader;
    found.innerStart = at + length;
    found.innerVersion = versionOf(view.getUint16(at + Gre.protocol));
    if (found.innerVersion === 0) return TunnelOutcome.unknownGrePayload;
  }
  found.innerEnd = endOfPacket(view, found.innerStart, end, found.innerVersion);
  if (found.innerEnd === 0) return TunnelOutcome.badInnerHeader;
  const heard = leaveTunnel(view, found.innerStart, trafficClassOf(view, start));
  return heard ? TunnelOutcome.ok : TunnelOutcome.congestionUnheard;
}

/**
 * Where the inner packet of a tunnel packet of ours begins that an ICMP error quotes in `outer`, possibly cut short:
 * -1 if it is none of ours, or ends before. Nothing is said of the inner bytes.
 */
export function innerOfQuoted(view: DataView, outer: Packet): number {
  const at = outer.transport;
  if (outer.fragment === Fragment.later) return -1;
  if (outer.protocol === Protocol.ipip || outer.protocol === Protocol.ipv6) return at;
  if (outer.protocol !== Protocol.gre || outer.end - at < Gre.headerLength) return -1;
  const plain = view.getUint16(at) === 0 && versionOf(view.getUint16(at + Gre.protocol)) !== 0;
  return plain ? at + Gre.headerLength : -1;
}

function versionOf(grePayload: number): number {
  if (grePayload === GrePayload.ipv4) return 4;
  return grePayload === GrePayload.ipv6 ? 6 : 0;
}

/** Where the packet at `start` ends by its own word; 0 if it cannot be taken at it. The kernel does not ask again. */
function endOfPacket(view: DataView, start: number, limit: number, version: number): number {
  if (limit - start < (version === 4 ? Ipv4.minimumLength : Ipv6.headerLength)) return 0;
  if (view.getUint8(start) >> 4 !== version) return 0;
  if (version === 6) {
    const end = start + Ipv6.headerLength + view.getUint16(start + Ipv6.payloadLength);
    return end > limit ? 0 : end;
  }
  const headerLength = (view.getUint8(start) & 0x0f) << 2;
  const length = view.getUint16(start + Ipv4.totalLength);
  if (headerLength < Ipv4.minimumLength || length < headerLength || start + length > limit) return 0;
  return fold(addBytes(0, view, start, headerLength)) === 0xffff ? start + length : 0;
}
