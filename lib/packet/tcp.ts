/**
 * The TCP header (RFC 9293 §3.1).
 *
 *    0               8               16              24            31
 *   ├───────────────┴───────────────┼───────────────┴───────────────┤
 *   │ source port                   │ destination port              │  0
 *   ├───────────────────────────────┴───────────────────────────────┤
 *   │ sequence number                                               │  4
 *   ├───────────────────────────────────────────────────────────────┤
 *   │ acknowledgement number                                        │  8
 *   ├───────┬───────┬───────────────┬───────────────────────────────┤
 *   │ words │ 0     │CEUAPRSF flags │ window                        │ 12
 *   ├───────┴───────┴───────────────┼───────────────────────────────┤
 *   │ checksum                      │ urgent pointer                │ 16
 *   ├───────────────────────────────┴───────────────────────────────┤
 *   │ options                                                       │ 20
 *   └───────────────────────────────────────────────────────────────┘
 */
import { Fragment, Outcome, type Packet } from './packet.ts';

/** Field offsets within the header, in bytes. */
export const Tcp = {
  sourcePort: 0,
  destinationPort: 2,
  sequence: 4,
  acknowledgement: 8,
  dataOffset: 12,
  flags: 13,
  window: 14,
  checksum: 16,
  minimumLength: 20,
} as const;

export const TcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const;

const windowScaleKind = 3;
/** RFC 7323 §2.3: a larger shift counts as this one. */
const maximumWindowScale = 14;
/** What `windowScaleOf` answers when the option is absent. */
export const noWindowScale = 15;

/**
 * Reads the header at `packet.transport`. Of a quoted packet only ports and sequence number are sure to be
 * there; the rest then reads as zero.
 */
export function parseTcp(packet: Packet, view: DataView, quoted: boolean): number {
  const at = packet.transport;
  const available = packet.end - at;
  if (available < Tcp.minimumLength) {
    if (!quoted || available < 8) {
      return packet.fragment === Fragment.first ? Outcome.tinyFragment : Outcome.badTcpHeader;
    }
    packet.tcpFlags = 0;
    packet.acknowledgement = 0;
    packet.window = 0;
    packet.payload = packet.end;
  } else {
    const headerLength = (view.getUint8(at + Tcp.dataOffset) & 0xf0) >> 2;
    if (headerLength < Tcp.minimumLength) return Outcome.badTcpHeader;
    if (headerLength > available && !quoted) {
      return packet.fragment === Fragment.first ? Outcome.tinyFragment : Outcome.badTcpHeader;
    }
    packet.tcpFlags = view.getUint8(at + Tcp.flags);
    packet.acknowledgement = view.getInt32(at + Tcp.acknowledgement);
    packet.window = view.getUint16(at + Tcp.window);
    packet.payload = at + headerLength;
  }
  packet.sourcePort = view.getUint16(at);
  packet.destinationPort = view.getUint16(at + Tcp.destinationPort);
  packet.sequence = view.getInt32(at + Tcp.sequence);
  return Outcome.ok;
}

/**
 * The shift of a SYN's window scale option (RFC 7323 §2.2), 0–14; `noWindowScale` when it has none.
 * Malformed options end the search, which looks at each byte once at most.
 */
export function windowScaleOf(packet: Packet, view: DataView): number {
  let at = packet.transport + Tcp.minimumLength;
  while (at < packet.payload) {
    const kind = view.getUint8(at);
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    if (at + 1 >= packet.payload) break;
    const length = view.getUint8(at + 1);
    if (length < 2 || at + length > packet.payload) break;
    if (kind === windowScaleKind && length === 3) {
      const shift = view.getUint8(at + 2);
      return Math.min(shift, maximumWindowScale);
    }
    at += length;
  }
  return noWindowScale;
}
