/**
 * Makes packets and judges them, without any help from the code under test: checksums are computed from scratch
 * over the finished bytes, as the receiver would.
 */

export interface Craft {
  readonly source: string;
  readonly destination: string;
  readonly protocol?: 'tcp' | 'udp' | 'icmp' | 'other';
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly flags?: string;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly window?: number;
  readonly tcpOptions?: readonly number[];
  readonly payload?: Uint8Array | string;
  readonly ttl?: number;
  /** DSCP and ECN. */
  readonly trafficClass?: number;
  /** IPv4 only. */
  readonly dontFragment?: boolean;
  readonly ipOptions?: readonly number[];
  /** IPv6: whole extension headers of [type, body after the two length bytes]. */
  readonly extensions?: readonly (readonly [type: number, body: readonly number[]])[];
  /** ICMP type and code; the payload begins behind the four bytes `rest`. */
  readonly icmp?: readonly [type: number, code: number];
  readonly icmpRest?: readonly number[];
  /** Cuts one fragment out of the finished packet: bytes [from, to) behind the header that all fragments share. */
  readonly fragment?: { readonly id: number; readonly from: number; readonly to?: number };
  readonly noUdpChecksum?: boolean;
}

const numbers = { tcp: 6, udp: 17, icmp: 1, other: 132 } as const;
const flagBits: Readonly<Record<string, number>> = { F: 1, S: 2, R: 4, P: 8, A: 16, U: 32 };

export function addressBytes(text: string): number[] {
  if (!text.includes(':')) return text.split('.').map(Number);
  const [head = '', tail] = text.split('::');
  const groups = (part: string): string[] => (part === '' ? [] : part.split(':'));
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

export function bytesToText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(((bytes[at]! << 8) | bytes[at + 1]!).toString(16));
  return groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

/** RFC 1071 over any number of pieces, slowly. */
export function internetChecksum(...pieces: readonly ArrayLike<number>[]): number {
  const bytes = pieces.flatMap((piece) => Array.from(piece));
  if (bytes.length % 2 === 1) bytes.push(0);
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    sum += bytes[at]! * 256 + bytes[at + 1]!;
    if (sum > 0xffff) sum -= 0xffff;
  }
  return 0xffff - sum;
}

function u16(value: number): number[] {
  return [(value >>> 8) & 255, value & 255];
}

function u32(value: number): number[] {
  return [...u16(value >>> 16), ...u16(value & 0xffff)];
}

function pseudoHeader(source: number[], destination: number[], protocol: number, length: number): number[] {
  return [...source, ...destination, ...u32(length), 0, 0, 0, protocol];
}

function transportOf(craft: Craft, number: number): number[] {
  const { payload = '', sourcePort = 0, destinationPort = 0 } = craft;
  const data = typeof payload === 'string' ? Array.from(Buffer.from(payload)) : Array.from(payload);
  const source = addressBytes(craft.source);
  const destination = addressBytes(craft.destination);
  let bytes: number[];
  let field: number;
  if (number === 6) {
    const options = craft.tcpOptions ?? [];
    const flags = [...(craft.flags ?? 'A')].reduce((bits, flag) => bits | flagBits[flag]!, 0);
    bytes = [...u16(sourcePort), ...u16(destinationPort), ...u32(craft.sequence ?? 0)];
    bytes.push(...u32(craft.acknowledgement ?? 0), (5 + options.length / 4) << 4, flags);
    bytes.push(...u16(craft.window ?? 0xffff), 0, 0, 0, 0, ...options, ...data);
    field = 16;
  } else if (number === 17) {
    bytes = [...u16(sourcePort), ...u16(destinationPort), ...u16(8 + data.length), 0, 0, ...data];
    if (craft.noUdpChecksum === true) return bytes;
    field = 6;
  } else if (number === 1 || number === 58) {
    const [type, code] = craft.icmp ?? [8, 0];
    bytes = [type, code, 0, 0, ...(craft.icmpRest ?? [0, 1, 0, 1]), ...data];
    field = 2;
  } else {
    return data;
  }
  const pseudo = number === 1 ? [] : pseudoHeader(source, destination, number, bytes.length);
  const sum = internetChecksum(pseudo, bytes);
  const checksum = number === 17 && sum === 0 ? 0xffff : sum;
  bytes[field] = checksum >> 8;
  bytes[field + 1] = checksum & 255;
  return bytes;
}

/** A whole packet, or one fragment of it. */
export function craft(what: Craft): Uint8Array {
  const v6 = what.source.includes(':');
  const name = what.protocol ?? 'tcp';
  const number = name === 'icmp' && v6 ? 58 : numbers[name];
  const transport = transportOf(what, number);
  return v6 ? wrapIpv6(what, number, transport) : wrapIpv4(what, number, transport);
}

function wrapIpv4(what: Craft, number: number, transport: number[]): Uint8Array {
  const options = what.ipOptions ?? [];
  const { id = 0x1234, from = 0, to = transport.length } = what.fragment ?? {};
  const carried = transport.slice(from, to);
  const more = what.fragment !== undefined && to < transport.length ? 0x2000 : 0;
  const flags = what.dontFragment === true ? 0x4000 : more;
  const length = 20 + options.length + carried.length;
  const header = [0x40 | (5 + options.length / 4), what.trafficClass ?? 0, ...u16(length)];
  header.push(...u16(id), ...u16(flags | (from >> 3)));
  header.push(what.ttl ?? 63, number, 0, 0, ...addressBytes(what.source), ...addressBytes(what.destination));
  header.push(...options);
  const checksum = internetChecksum(header);
  header[10] = checksum >> 8;
  header[11] = checksum & 255;
  return Uint8Array.from([...header, ...carried]);
}

function wrapIpv6(what: Craft, number: number, transport: number[]): Uint8Array {
  const headers = [...(what.extensions ?? [])];
  let carried = transport;
  if (what.fragment !== undefined) {
    const { id, from, to = transport.length } = what.fragment;
    carried = transport.slice(from, to);
    const more = to < transport.length ? 1 : 0;
    headers.push([44, [...u16(from | more), ...u32(id)]]);
  }
  const types = [...headers.map(([type]) => type), number];
  const chain = headers.flatMap(([type, body], index) => {
    const next = types[index + 1]!;
    const units = type === 51 ? (body.length + 2) / 4 - 2 : (body.length + 2) / 8 - 1;
    return [next, type === 44 ? 0 : units, ...body];
  });
  const length = chain.length + carried.length;
  const header = [
    ...u16(0x6000 | ((what.trafficClass ?? 0) << 4)),
    0,
    0,
    ...u16(length),
    types[0]!,
    what.ttl ?? 63,
  ];
  header.push(...addressBytes(what.source), ...addressBytes(what.destination));
  return Uint8Array.from([...header, ...chain, ...carried]);
}

/** What a packet says, for a reader of a failed test. */
export interface Seen {
  readonly source: string;
  readonly destination: string;
  readonly protocol: number;
  readonly ttl: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly flags?: string;
  readonly sequence?: number;
  readonly acknowledgement?: number;
  readonly icmp?: readonly [type: number, code: number];
  /** Behind the transport header; of a later fragment all that it carries. */
  readonly payload: Uint8Array;
  /** Checksums that are wrong: `ip`, `transport`. A first or later fragment's transport is not judged. */
  readonly wrong: readonly string[];
}

/** Takes a well-formed packet apart; extension headers but the fragment's are not understood. */
export function see(bytes: Uint8Array): Seen {
  const v6 = bytes[0]! >> 4 === 6;
  let start = v6 ? 40 : (bytes[0]! & 15) * 4;
  const source = v6 ? bytes.subarray(8, 24) : bytes.subarray(12, 16);
  const destination = v6 ? bytes.subarray(24, 40) : bytes.subarray(16, 20);
  const end = v6 ? 40 + ((bytes[4]! << 8) | bytes[5]!) : (bytes[2]! << 8) | bytes[3]!;
  const wrong: string[] = [];
  if (!v6 && internetChecksum(bytes.subarray(0, start)) !== 0) wrong.push('ip');
  let protocol = v6 ? bytes[6]! : bytes[9]!;
  let fragment = v6 ? 0 : ((bytes[6]! << 8) | bytes[7]!) & 0x3fff;
  while (v6 && [0, 43, 44, 51, 60].includes(protocol)) {
    if (protocol === 44) fragment = ((bytes[start + 2]! << 8) | bytes[start + 3]!) & 0xfff9;
    const units = bytes[start + 1]!;
    const length = protocol === 44 ? 8 : protocol === 51 ? (units + 2) * 4 : (units + 1) * 8;
    protocol = bytes[start]!;
    start += length;
  }
  const later = (fragment & (v6 ? 0xfff8 : 0x1fff)) !== 0;
  const transport = bytes.subarray(start, end);
  const base = {
    source: bytesToText(source),
    destination: bytesToText(destination),
    protocol,
    ttl: bytes[v6 ? 7 : 8]!,
  };
  if (later || ![1, 6, 17, 58].includes(protocol)) return { ...base, payload: transport, wrong };
  const noChecksum = protocol === 17 && !v6 && transport[6] === 0 && transport[7] === 0;
  if (fragment === 0 && !noChecksum) {
    const pseudo =
      protocol === 1 ? [] : pseudoHeader([...source], [...destination], protocol, transport.length);
    if (internetChecksum(pseudo, transport) !== 0) wrong.push('transport');
  }
  return { ...base, ...seeTransport(protocol, transport), wrong };
}

function seeTransport(
  protocol: number,
  bytes: Uint8Array,
): Omit<Seen, 'source' | 'destination' | 'protocol' | 'ttl' | 'wrong'> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (protocol === 1 || protocol === 58) {
    return { icmp: [bytes[0]!, bytes[1]!], payload: bytes.subarray(8) };
  }
  const ports = { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2) };
  if (protocol === 17) return { ...ports, payload: bytes.subarray(8) };
  const flags = Object.entries(flagBits).filter(([, bit]) => (bytes[13]! & bit) !== 0);
  return {
    ...ports,
    sequence: view.getUint32(4),
    acknowledgement: view.getUint32(8),
    flags: flags.map(([name]) => name).join(''),
    payload: bytes.subarray((bytes[12]! >> 4) * 4),
  };
}
