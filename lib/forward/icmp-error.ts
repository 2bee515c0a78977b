/**
 * ICMP errors about packets of a flow (RFC 5508 §4.2): the error travels the flow's way in one direction, and quotes
 * a packet that was sent in the other.
 *
 *   │ IP header: translated like a packet of the flow │ ICMP header: checksum │ quoted packet: translated back │
 *                                                                             │ IP header, checksum, ports,    │
 *                                                                             │ L4 checksum if it is there     │
 *
 * The far end of the outer packet becomes the flow's own too, so that no router behind the balancer shows through.
 * Every changed word of the message goes into the ICMP checksum as a delta, so that an error that was damaged on
 * its way still is. Errors make no flow, and keep none alive.
 */
import { sameAddress } from '../conntrack/flow-key.ts';
import { adjustChecksum, deltaOf } from '../packet/checksum.ts';
import { Ipv4 } from '../packet/ipv4.ts';
import { destinationAt, Outcome, type Packet, Protocol, sourceAt } from '../packet/packet.ts';
import { parseQuoted } from '../packet/parse.ts';
import { adjustIcmpChecksum, rewriteAddresses, rewriteIcmpPseudoHeader } from '../packet/rewrite.ts';
import { Tcp } from '../packet/tcp.ts';
import { Udp } from '../packet/udp.ts';
import type { Translation } from './translation.ts';

/**
 * Reads the packet that an error quotes. False unless it is TCP or UDP, of the error's own family, and came from where
 * the error goes: only then is it about a packet of a flow.
 */
export function readFlowError(view: DataView, error: Packet, quoted: Packet): boolean {
  if (parseQuoted(quoted, view, error.payload, error.end) !== Outcome.ok) return false;
  if (quoted.protocol !== Protocol.tcp && quoted.protocol !== Protocol.udp) return false;
  if (quoted.version !== error.version) return false;
  return sameAddress(error.words, destinationAt, quoted.words, sourceAt);
}

/**
 * Translates an error. `quoted` is the packet inside it, taken apart; `translation` is that of the flow in the
 * error's own direction. `keepSource` leaves the outer source as it is.
 */
export function translateIcmpError(
  view: DataView,
  error: Packet,
  quoted: Packet,
  translation: Translation,
  keepSource: boolean,
): void {
  const { source, sourceAt, destination, destinationAt } = translation;
  const messageDelta = translateQuoted(view, quoted, translation);
  const outerDelta = keepSource
    ? rewriteAddresses(view, error, error.words, 0, destination, destinationAt)
    : rewriteAddresses(view, error, source, sourceAt, destination, destinationAt);
  adjustIcmpChecksum(view, error, messageDelta);
  rewriteIcmpPseudoHeader(view, error, outerDelta);
}

/** Makes the quoted packet what its sender knows, source and destination changing places. Answers with the delta. */
function translateQuoted(view: DataView, quoted: Packet, translation: Translation): number {
  const headerChecksum = quoted.start + Ipv4.checksum;
  const headerBefore = quoted.version === 4 ? view.getUint16(headerChecksum) : 0;
  const addressDelta = rewriteAddresses(
    view,
    quoted,
    translation.destination,
    translation.destinationAt,
    translation.source,
    translation.sourceAt,
  );
  const headerAfter = quoted.version === 4 ? view.getUint16(headerChecksum) : 0;

  const at = quoted.transport;
  view.setUint16(at + Tcp.sourcePort, translation.destinationPort);
  view.setUint16(at + Tcp.destinationPort, translation.sourcePort);
  const portDelta =
    deltaOf(quoted.sourcePort, translation.destinationPort) +
    deltaOf(quoted.destinationPort, translation.sourcePort);
  const checksumDelta = adjustQuotedChecksum(view, quoted, addressDelta + portDelta);
  return addressDelta + deltaOf(headerBefore, headerAfter) + portDelta + checksumDelta;
}

function adjustQuotedChecksum(view: DataView, quoted: Packet, delta: number): number {
  const udp = quoted.protocol === Protocol.udp;
  const field = quoted.transport + (udp ? Udp.checksum : Tcp.checksum);
  if (field + 2 > quoted.end) return 0;
  const before = view.getUint16(field);
  if (udp && before === 0) return 0;
  const after = adjustChecksum(before, delta);
  view.setUint16(field, after);
  return deltaOf(before, after);
}
