/**
 * What is hashed to place a flow: a fixed layout, so that whoever reads the same flow from a packet or from a
 * socket sees the same bytes. Numbers are in network order; an IPv4 address is ::ffff:a.b.c.d.
 *
 *     0               16              32          34       36         37
 *     ├───────────────┼───────────────┼───────────┼────────┼──────────┤
 *     │ client address│ VIP address   │client port│VIP port│ protocol │
 *     ├───────────────┼───────────────┴───────────┴────────┴──────────┘
 *      the source key   the rest of the flow key
 */
import { parseIp } from '../model/ip.ts';
import type { Protocol } from '../model/spec.ts';

/** Where each field begins. */
export const flowKeyOffset = {
  clientAddress: 0,
  vipAddress: 16,
  clientPort: 32,
  vipPort: 34,
  protocol: 36,
} as const;

export const flowKeyLength = 37;

/** IANA's protocol numbers, as in the IPv4 header. */
export const protocolNumber: Readonly<Record<Protocol, number>> = { tcp: 6, udp: 17 };

/** A flow as a socket knows it: addresses in text, `192.0.2.1`, `::1`, `fe80::1%eth0`. */
export interface FlowTuple {
  readonly protocol: Protocol;
  readonly clientAddress: string;
  readonly clientPort: number;
  readonly vipAddress: string;
  readonly vipPort: number;
}

/** Writes the whole flow's key at the beginning of `into` and returns its length. */
export function writeFlowKey(flow: FlowTuple, into: Uint8Array): number {
  writeAddress(flow.clientAddress, into, flowKeyOffset.clientAddress);
  writeAddress(flow.vipAddress, into, flowKeyOffset.vipAddress);
  writePort(flow.clientPort, into, flowKeyOffset.clientPort);
  writePort(flow.vipPort, into, flowKeyOffset.vipPort);
  into[flowKeyOffset.protocol] = protocolNumber[flow.protocol];
  return flowKeyLength;
}

/** Writes the key of everything one client does, its address alone, and returns its length. */
export function writeSourceKey(flow: FlowTuple, into: Uint8Array): number {
  writeAddress(flow.clientAddress, into, flowKeyOffset.clientAddress);
  return flowKeyOffset.vipAddress;
}

/** What is not an address counts as `::`, so that a key never holds a part of an earlier one. */
function writeAddress(text: string, into: Uint8Array, offset: number): void {
  if (parseIp(text, into, offset) === 0) into.fill(0, offset, offset + 16);
}

function writePort(port: number, into: Uint8Array, offset: number): void {
  into[offset] = port >>> 8;
  into[offset + 1] = port;
}
