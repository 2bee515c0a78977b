/** Ends of flows as they are shown: `10.0.0.1:80`, `[fd00::1]:53`, or an address alone where the port stays as it is. */
import { ipFamily, parseIp } from './ip.ts';

export interface ShownEndpoint {
  readonly address: string;
  /** 0 where none is shown. */
  readonly port: number;
}

/** The address and the port of one. Never fails: what is neither has the whole text for an address. */
export function splitEndpoint(text: string): ShownEndpoint {
  const [, v6, v4, port] = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(text) ?? [];
  if (port === undefined || ipFamily(text) !== 0) return { address: text, port: 0 };
  return { address: v6 ?? v4!, port: Number(port) };
}

const scratch = new Uint8Array(16);

/** Text that sorts as addresses and then ports do, IPv4 before nearly all of IPv6. */
export function endpointKey(text: string): string {
  const { address, port } = splitEndpoint(text);
  if (parseIp(address, scratch, 0) === 0) return text;
  const bytes = Array.from(scratch, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return bytes + String(port).padStart(5, '0');
}
