/** A packet in words: where it comes from, where it goes, through which tunnel. */
import { formatHostPort } from '../model/address.ts';
import type { TracePacket, TraceRewriting } from '../model/trace.ts';
import { formatAddress } from '../packet/address.ts';
import { innerOfQuoted } from '../packet/decapsulate.ts';
import { destinationAt, Outcome, Packet, Protocol, sourceAt } from '../packet/packet.ts';
import { parsePacket } from '../packet/parse.ts';
import { hexOf } from './fields.ts';

/** Of a packet in a tunnel: who is in it. */
export function describePacket(bytes: Uint8Array): TracePacket {
  const view = viewOf(bytes);
  const packet = parsed(view, 0);
  const inner = packet === undefined ? -1 : innerOfQuoted(view, packet);
  const told = inner < 0 ? packet : parsed(view, inner);
  return {
    source: told === undefined ? '' : endText(told, sourceAt, told.sourcePort),
    destination: told === undefined ? '' : endText(told, destinationAt, told.destinationPort),
    bytes: hexOf(bytes),
  };
}

/** The tunnel that a packet is in; null if it is in none. */
export function describeTunnel(bytes: Uint8Array): TraceRewriting['encapsulation'] {
  const view = viewOf(bytes);
  const packet = parsed(view, 0);
  if (packet === undefined || innerOfQuoted(view, packet) < 0) return null;
  return {
    kind: packet.protocol === Protocol.gre ? 'gre' : 'ipip',
    source: formatAddress(packet.words, sourceAt),
    destination: formatAddress(packet.words, destinationAt),
  };
}

/** With the port, where there is one. */
function endText({ words, protocol }: Packet, at: number, port: number): string {
  const address = formatAddress(words, at);
  const hasPort = protocol === Protocol.tcp || protocol === Protocol.udp;
  return hasPort ? formatHostPort(address, port) : address;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function parsed(view: DataView, start: number): Packet | undefined {
  const packet = new Packet();
  return parsePacket(packet, view, start, view.byteLength) === Outcome.ok ? packet : undefined;
}
