/**
 * The bytes of a packet by their names, and what differs between a packet and what became of it.
 *
 *     before          │ IPv4 or IPv6 │ TCP, UDP or ICMP │ …
 *     after  │ outer … │ IPv4 or IPv6 │ TCP, UDP or ICMP │ …       fields are matched by name, wherever they stand
 */

import { formatIp } from '../model/ip.ts';
import type { TraceChange } from '../model/trace.ts';
import { innerOfQuoted } from '../packet/decapsulate.ts';
import { Fragment, Outcome, Packet, Protocol } from '../packet/packet.ts';
import { parsePacket } from '../packet/parse.ts';
import { Tcp } from '../packet/tcp.ts';

/** How a field is written: decimal, hexadecimal, or as an address. */
type Notation = 'number' | 'hex' | 'address';

export interface Field {
  readonly name: string;
  /** Where it stands in the packet, and its length, in bytes. */
  readonly at: number;
  readonly length: number;
  readonly notation: Notation;
}

type Layout = readonly (readonly [name: string, offset: number, length: number, notation: Notation])[];

const ipv4: Layout = [
  ['version and header length', 0, 1, 'hex'],
  ['traffic class', 1, 1, 'hex'],
  ['total length', 2, 2, 'number'],
  ['identification', 4, 2, 'hex'],
  ['fragment', 6, 2, 'hex'],
  ['time to live', 8, 1, 'number'],
  ['protocol', 9, 1, 'number'],
  ['header checksum', 10, 2, 'hex'],
  ['source address', 12, 4, 'address'],
  ['destination address', 16, 4, 'address'],
];

const ipv6: Layout = [
  ['version, traffic class and flow label', 0, 4, 'hex'],
  ['payload length', 4, 2, 'number'],
  ['next header', 6, 1, 'number'],
  ['hop limit', 7, 1, 'number'],
  ['source address', 8, 16, 'address'],
  ['destination address', 24, 16, 'address'],
];

const gre: Layout = [
  ['GRE flags', 0, 2, 'hex'],
  ['GRE protocol', 2, 2, 'hex'],
];

const tcp: Layout = [
  ['source port', 0, 2, 'number'],
  ['destination port', 2, 2, 'number'],
  ['sequence number', 4, 4, 'number'],
  ['acknowledgement number', 8, 4, 'number'],
  ['TCP header length', 12, 1, 'hex'],
  ['TCP flags', 13, 1, 'hex'],
  ['window', 14, 2, 'number'],
  ['TCP checksum', 16, 2, 'hex'],
  ['urgent pointer', 18, 2, 'number'],
];

const udp: Layout = [
  ['source port', 0, 2, 'number'],
  ['destination port', 2, 2, 'number'],
  ['UDP length', 4, 2, 'number'],
  ['UDP checksum', 6, 2, 'hex'],
];

const icmp: Layout = [
  ['ICMP type', 0, 1, 'number'],
  ['ICMP code', 1, 1, 'number'],
  ['ICMP checksum', 2, 2, 'hex'],
  ['rest of the ICMP header', 4, 4, 'hex'],
];

const transports: Readonly<Record<number, Layout>> = {
  [Protocol.tcp]: tcp,
  [Protocol.udp]: udp,
  [Protocol.icmp]: icmp,
  [Protocol.icmpv6]: icmp,
  [Protocol.gre]: gre,
};

/** The fields of a packet, outer headers of a tunnel first, under names that say so; none of what is no packet. */
export function fieldsOf(bytes: Uint8Array): Field[] {
  return fieldsFrom(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
}

function fieldsFrom(view: DataView, start: number): Field[] {
  const packet = new Packet();
  if (parsePacket(packet, view, start, view.byteLength) !== Outcome.ok) return [];
  const inner = innerOfQuoted(view, packet);
  const prefix = inner < 0 ? '' : 'outer ';
  const fields = place(packet.version === 4 ? ipv4 : ipv6, start, prefix);
  if (packet.fragment !== Fragment.later) {
    fields.push(...place(transports[packet.protocol] ?? [], packet.transport, ''));
    const options = packet.payload - packet.transport - Tcp.minimumLength;
    if (packet.protocol === Protocol.tcp && options > 0) {
      const at = packet.transport + Tcp.minimumLength;
      fields.push({ name: 'TCP options', at, length: options, notation: 'hex' });
    }
  }
  return inner < 0 ? fields : [...fields, ...fieldsFrom(view, inner)];
}

function place(layout: Layout, start: number, prefix: string): Field[] {
  return layout.map(([name, offset, length, notation]) => ({
    name: prefix + name,
    at: start + offset,
    length,
    notation,
  }));
}

/** The fields that differ, in the order in which they stand in `after`, and then those that are gone. */
export function changesBetween(before: Uint8Array, after: Uint8Array): TraceChange[] {
  const fieldsBefore = new Map(fieldsOf(before).map((field) => [field.name, field]));
  const fieldsAfter = new Map(fieldsOf(after).map((field) => [field.name, field]));
  const names = new Set([...fieldsAfter.keys(), ...fieldsBefore.keys()]);
  return [...names].flatMap((name) => {
    const [one, other] = [fieldsBefore.get(name), fieldsAfter.get(name)];
    const [was, is] = [textOf(before, one), textOf(after, other)];
    if (was === is) return [];
    const offset = { before: one?.at ?? null, after: other?.at ?? null };
    return [{ field: name, offset, length: (other ?? one)!.length, before: was, after: is }];
  });
}

/** `192.0.2.10`, `40000`, `0x4e5c`; null if there is no such field. */
function textOf(bytes: Uint8Array, field: Field | undefined): string | null {
  if (field === undefined) return null;
  const part = bytes.subarray(field.at, field.at + field.length);
  if (field.notation === 'address') return addressText(part);
  const hex = hexOf(part);
  return field.notation === 'hex' ? `0x${hex}` : String(Number.parseInt(hex, 16));
}

function addressText(part: Uint8Array): string {
  const address = new Uint8Array(16);
  address.set(part, 16 - part.length);
  return formatIp(address, 0, part.length === 4 ? 4 : 6);
}

/** Two digits a byte. */
export function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
