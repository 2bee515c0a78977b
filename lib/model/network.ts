/**
 * Networks as people write them: `10.0.0.0/8`, `fd00::/8`, or an address, which is a network of one. In the 16 bytes of
 * `model/ip.ts` an IPv4 prefix counts from the 96 bits that all IPv4 addresses begin with.
 */
import { formatIp, type IpFamily, parseIp } from './ip.ts';

export interface Network {
  readonly family: IpFamily;
  /** 16 bytes, IPv4 mapped; those behind the prefix are zero. */
  readonly address: Uint8Array;
  /** Leading bits that an address has in common with it, 0 to 128. */
  readonly prefixBits: number;
}

const mappedBits = 96;

/** Reads `ADDRESS` or `ADDRESS/BITS`; undefined if it is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [, host = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = new Uint8Array(16);
  const family = parseIp(host, address, 0);
  if (family === 0) return undefined;
  const before = family === 4 ? mappedBits : 0;
  const prefixBits = bits === undefined ? 128 : before + Number(bits);
  if (prefixBits > 128) return undefined;
  for (let index = 0; index < 16; index++) address[index]! &= maskByte(prefixBits, index);
  return { family, address, prefixBits };
}

/** The one spelling of a network; an address has no prefix length. */
export function formatNetwork({ family, address, prefixBits }: Network): string {
  const bits = prefixBits - (family === 4 ? mappedBits : 0);
  return formatIp(address, 0, family) + (prefixBits === 128 ? '' : `/${bits}`);
}

/** Whether the 16 bytes at `offset` are an address of the network. */
export function contains({ address, prefixBits }: Network, bytes: Uint8Array, offset: number): boolean {
  for (let index = 0; index * 8 < prefixBits; index++) {
    if ((bytes[offset + index]! & maskByte(prefixBits, index)) !== address[index]) return false;
  }
  return true;
}

/** The bits of byte `index` that a prefix covers. */
function maskByte(prefixBits: number, index: number): number {
  const covered = Math.min(8, Math.max(0, prefixBits - index * 8));
  return (0xff << (8 - covered)) & 0xff;
}
