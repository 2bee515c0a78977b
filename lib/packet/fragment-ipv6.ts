/**
 * Cuts an IPv6 packet up (RFC 8200 §4.5). That is its sender's to do: of packets that are our own, and of datagrams that
 * were put together again on their way here.
 *
 *   │ header │ payload, in pieces of a multiple of 8 bytes, but for the last │
 *   │ header │ fragment header │ one piece │                                       each fragment
 *
 *   ├───────────────┬───────────────┬─────────────────────────┬───┬─┤
 *   │ next header   │ 0             │ offset, in 8 bytes      │ 0 │M│  0
 *   ├───────────────┴───────────────┴─────────────────────────┴───┴─┤
 *   │ identification                                                │  4
 *   └───────────────────────────────────────────────────────────────┘  8
 *
 * Some extension headers would have to be in every fragment; packets that have any are not for here.
 */
import { copyBytes } from './bytes.ts';
import { fragmentHeader, Ipv6 } from './ipv6.ts';

const fragmentHeaderLength = 8;

/** Bytes in front of each piece. */
export const ipv6FragmentOverhead: number = Ipv6.headerLength + fragmentHeaderLength;

/**
 * Writes a fragment of the packet that begins at `start` of `view`, to `to` at `at`: the `length` bytes of payload from
 * `from` on, a multiple of 8. `isLast`: of the packet. Answers with the fragment's length.
 */
export function writeIpv6Fragment(
  view: DataView,
  start: number,
  from: number,
  length: number,
  isLast: boolean,
  identification: number,
  to: DataView,
  at: number,
): number {
  const header = at + Ipv6.headerLength;
  copyBytes(view, start, to, at, Ipv6.headerLength);
  to.setUint16(at + Ipv6.payloadLength, fragmentHeaderLength + length);
  to.setUint8(at + Ipv6.nextHeader, fragmentHeader);
  to.setUint16(header, view.getUint8(start + Ipv6.nextHeader) << 8);
  to.setUint16(header + 2, from | (isLast ? 0 : 1));
  to.setUint32(header + 4, identification);
  copyBytes(view, start + Ipv6.headerLength + from, to, header + fragmentHeaderLength, length);
  return ipv6FragmentOverhead + length;
}
