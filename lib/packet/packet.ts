/**
 * One packet, taken apart: where its headers stand and what they say, as plain numbers.
 * One instance is filled again for every packet, so that taking a packet apart allocates nothing.
 * A field means something only when its comment says so for the packet at hand; the rest is left over from before.
 */

/**
 * Why a packet could not be taken apart. `parsePacket` answers with the position of a name in this list;
 * 0 is success. Other floors go on counting their own reasons after these.
 */
export const parseOutcomes = [
  'ok',
  'truncated',
  'bad-ip-version',
  'bad-ip-header',
  'bad-ip-length',
  'bad-extension-header',
  'too-many-extension-headers',
  'source-routed',
  'bad-address',
  'bad-fragment',
  'tiny-fragment',
  'bad-tcp-header',
  'bad-udp-header',
  'bad-icmp-header',
] as const;

/** The same list as named numbers. */
export const Outcome = {
  ok: 0,
  truncated: 1,
  badIpVersion: 2,
  badIpHeader: 3,
  badIpLength: 4,
  badExtensionHeader: 5,
  tooManyExtensionHeaders: 6,
  sourceRouted: 7,
  badAddress: 8,
  badFragment: 9,
  tinyFragment: 10,
  badTcpHeader: 11,
  badUdpHeader: 12,
  badIcmpHeader: 13,
} as const;

/** What part of a datagram a packet is. Only `none` and `first` carry a transport header. */
export const Fragment = { none: 0, first: 1, later: 2 } as const;

/** IANA protocol numbers of the transports that are understood, and of the tunnels. */
export const Protocol = { icmp: 1, ipip: 4, tcp: 6, udp: 17, ipv6: 41, gre: 47, icmpv6: 58 } as const;

/** Where the two addresses begin in `Packet.words`. */
export const sourceAt = 0;
export const destinationAt = 4;

/**
 * The third word of an IPv4-mapped address (::ffff:0:0/96, RFC 4291 §2.5.5.2): the form in which IPv4 addresses
 * stand wherever both families share a column. On the wire such an IPv6 address is refused, so no two differ
 * in family and agree in words.
 */
export const mappedWord = 0xffff;

/** A parsed packet. Offsets count from the start of the buffer that holds it; 32-bit fields are signed. */
export class Packet {
  /** Source in words 0–3, destination in words 4–7: 32 bits each, most significant first, IPv4 mapped. */
  readonly words = new Int32Array(8);
  /** 4 or 6. */
  version = 0;
  /** Offset of the IP header. */
  start = 0;
  /** Offset behind the last byte that belongs to the packet (of what is there, in a quoted packet). */
  end = 0;
  /** The transport's number; of a later IPv6 fragment only what the sender claims. */
  protocol = 0;
  /** Offset of the transport header, of a later fragment that of its data. */
  transport = 0;
  /** One of `Fragment`. */
  fragment: number = Fragment.none;
  /** Identification, 16 bits in IPv4 and 32 in IPv6; of fragments only. */
  fragmentId = 0;
  /** Where this fragment's data stand in the datagram, in bytes; of fragments only. */
  fragmentOffset = 0;
  /** Offset of the bytes that this fragment carries (the transport header is behind it); of fragments only. */
  fragmentData = 0;
  /** Whether further fragments follow this one; of fragments only. */
  moreFragments = false;
  /** TCP and UDP ports; 0 for every other protocol and for later fragments. */
  sourcePort = 0;
  destinationPort = 0;
  /** TCP only: the flag byte (see `TcpFlag`), sequence and acknowledgement numbers, the window as sent. */
  tcpFlags = 0;
  sequence = 0;
  acknowledgement = 0;
  window = 0;
  /** Offset of the transport's payload: TCP and UDP only. */
  payload = 0;
  /** ICMP and ICMPv6 only: the message type. */
  icmpType = 0;
}

/** Has the two ends of a packet change places, so that it names the flow of what it answered. Its bytes stay. */
export function turnAround(packet: Packet): void {
  const { words, sourcePort } = packet;
  for (let index = 0; index < 4; index++) {
    const word = words[index]!;
    words[index] = words[index + 4]!;
    words[index + 4] = word;
  }
  packet.sourcePort = packet.destinationPort;
  packet.destinationPort = sourcePort;
}
