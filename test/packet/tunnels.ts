/**
 * Tunnel packets made and judged without any help from the code under test: headers are laid out byte by byte, and
 * checksums computed from scratch. Beside them, `outerHeader` is the code under test, ready for use.
 */
import assert from 'node:assert/strict';
import { writeAddress } from '../../lib/packet/address.ts';
import { OuterHeader } from '../../lib/packet/encapsulate.ts';
import { addressBytes, bytesToText, internetChecksum } from './craft.ts';

/** An outer header; the family is that of the addresses. */
export interface Outer {
  readonly source: string;
  readonly destination: string;
  /** 47 for GRE, 4 or 41 for IP in IP. */
  readonly protocol: number;
  readonly trafficClass?: number;
  readonly dontFragment?: boolean;
  /** IPv4: the whole of the fragment field instead, flags and offset. */
  readonly fragment?: number;
  /** IPv6: extension headers that stand before the tunnel's, the last one naming it. */
  readonly extensions?: readonly number[];
  readonly nextHeader?: number;
}

function u16(value: number): number[] {
  return [(value >>> 8) & 255, value & 255];
}

/** An IP header in front of `payload`. */
export function wrap(outer: Outer, payload: Uint8Array): Uint8Array {
  const { trafficClass = 0, extensions = [] } = outer;
  const addresses = [...addressBytes(outer.source), ...addressBytes(outer.destination)];
  if (outer.source.includes(':')) {
    const first = [...u16(0x6000 | (trafficClass << 4)), 0, 0];
    const length = u16(extensions.length + payload.length);
    const next = outer.nextHeader ?? outer.protocol;
    return Uint8Array.from([...first, ...length, next, 64, ...addresses, ...extensions, ...payload]);
  }
  const fragment = outer.fragment ?? (outer.dontFragment === true ? 0x4000 : 0);
  const header = [0x45, trafficClass, ...u16(20 + payload.length), 0, 9, ...u16(fragment)];
  header.push(64, outer.protocol, 0, 0, ...addresses);
  const checksum = internetChecksum(header);
  header[10] = checksum >> 8;
  header[11] = checksum & 255;
  return Uint8Array.from([...header, ...payload]);
}

/** The optional fields of a GRE header (RFC 2784, RFC 2890). */
export interface GreFields {
  readonly checksum?: boolean;
  readonly key?: number;
  readonly sequence?: number;
  /** Bits to set in the first two bytes beside those that the fields need. */
  readonly flags?: number;
  readonly protocol?: number;
}

/** A GRE header in front of an IP packet. */
export function greWrap(inner: Uint8Array, fields: GreFields = {}): Uint8Array {
  const { checksum = false, key, sequence } = fields;
  const flags =
    (checksum ? 0x8000 : 0) | (key === undefined ? 0 : 0x2000) | (sequence === undefined ? 0 : 0x1000);
  const protocol = fields.protocol ?? (inner[0]! >> 4 === 6 ? 0x86dd : 0x0800);
  const bytes = [...u16(flags | (fields.flags ?? 0)), ...u16(protocol)];
  if (checksum) bytes.push(0, 0, 0, 0);
  for (const word of [key, sequence]) {
    if (word !== undefined) bytes.push(...u16(word >>> 16), ...u16(word & 0xffff));
  }
  bytes.push(...inner);
  if (checksum) bytes.splice(4, 2, ...u16(internetChecksum(bytes)));
  return Uint8Array.from(bytes);
}

/** What stands around a packet in a tunnel. */
export interface SeenTunnel {
  readonly source: string;
  readonly destination: string;
  readonly encapsulation: 'gre' | 'ipip';
  readonly trafficClass: number;
  readonly ttl: number;
  /** Outer IPv4 only. */
  readonly dontFragment?: boolean;
  readonly identification?: number;
  /** Outer IPv6 only. */
  readonly flowLabel?: number;
  readonly inner: Uint8Array;
}

/** Takes a tunnel packet of ours apart; fails if it is not right to the last bit. */
export function seeTunnel(bytes: Uint8Array): SeenTunnel {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const v6 = bytes[0]! >> 4 === 6;
  const header = v6 ? 40 : 20;
  if (v6) assert.equal(view.getUint16(4), bytes.length - 40, 'payload length');
  else {
    assert.equal(bytes[0], 0x45, 'no options');
    assert.equal(view.getUint16(2), bytes.length, 'total length');
    assert.equal(view.getUint16(6) & 0x3fff, 0, 'no fragment');
    assert.equal(internetChecksum(bytes.subarray(0, 20)), 0, 'header checksum');
  }
  const protocol = bytes[v6 ? 6 : 9]!;
  const gre = protocol === 47;
  const inner = bytes.subarray(header + (gre ? 4 : 0));
  const innerVersion = inner[0]! >> 4;
  if (gre) assert.equal(view.getUint32(header), innerVersion === 6 ? 0x86dd : 0x0800, 'GRE header');
  else assert.equal(protocol, innerVersion === 6 ? 41 : 4, 'protocol');
  return {
    source: bytesToText(v6 ? bytes.subarray(8, 24) : bytes.subarray(12, 16)),
    destination: bytesToText(v6 ? bytes.subarray(24, 40) : bytes.subarray(16, 20)),
    encapsulation: gre ? 'gre' : 'ipip',
    trafficClass: v6 ? (view.getUint16(0) >> 4) & 255 : bytes[1]!,
    ttl: bytes[v6 ? 7 : 8]!,
    ...(v6
      ? { flowLabel: view.getUint32(0) & 0xfffff }
      : { dontFragment: (bytes[6]! & 0x40) !== 0, identification: view.getUint16(4) }),
    inner,
  };
}

/** An outer header of ours between two addresses of one family. */
export function outerHeader(
  encapsulation: number,
  { source, destination }: Pick<Outer, 'source' | 'destination'>,
  identification = 0,
): OuterHeader {
  const header = new OuterHeader(identification);
  const words = new Int32Array(8);
  assert.ok(writeAddress(source, words, 0) && writeAddress(destination, words, 4));
  header.encapsulation = encapsulation;
  header.lead(source.includes(':') ? 6 : 4, words, 0, words, 4);
  return header;
}
