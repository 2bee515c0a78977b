/** One row of the NAT table, and the packets that rows are made of. */
import type { ReasonName } from '../../../lib/forward/reasons.ts';
import { type Craft, craft, type Seen } from '../../packet/craft.ts';
import type { Balancer, BalancerOptions, Family } from '../balancer.ts';

export const accept = 0x01;
export const rewritten = 0x11;
export const drop = 0x00;

/** What the client sends, if nothing else is said: a SYN to the VIP that takes TCP with SNAT. */
export function fromClient(family: Family, what: Partial<Craft> = {}): Uint8Array {
  const { client, vip } = family;
  return craft({
    source: client,
    destination: vip,
    sourcePort: 40_000,
    destinationPort: what.protocol === 'udp' ? 53 : 80,
    flags: 'S',
    sequence: 100,
    ...what,
  });
}

/** What the backend answers to the first flow that was opened. */
export function fromBackend(family: Family, what: Partial<Craft> = {}): Uint8Array {
  const { backend, snat } = family;
  return craft({
    source: backend,
    destination: snat,
    sourcePort: 9000,
    destinationPort: 2000,
    flags: 'SA',
    sequence: 900,
    acknowledgement: 101,
    ...what,
  });
}

export const ack = { flags: 'A', sequence: 101, acknowledgement: 901 } as const;
export const toBackend = (family: Family) => ({
  source: family.snat,
  destination: family.backend,
  destinationPort: 9000,
});
export const toClient = (family: Family) => ({
  source: family.vip,
  destination: family.client,
  destinationPort: 40_000,
});

export function handshake(family: Family): Uint8Array[] {
  return [fromClient(family), fromBackend(family), fromClient(family, ack)];
}

export function datagrams(family: Family): Uint8Array[] {
  return [fromClient(family, { protocol: 'udp' }), fromBackend(family, { protocol: 'udp' })];
}

export interface Row {
  readonly name: string;
  readonly options?: BalancerOptions;
  /** Packets before the one in question. */
  readonly before?: (family: Family) => readonly Uint8Array[];
  /** What happens between those and it. */
  readonly meanwhile?: (balancer: Balancer, family: Family) => void;
  readonly packet: (family: Family) => Uint8Array;
  readonly flags?: number;
  readonly reason: ReasonName;
  readonly verdict: number;
  /** What must be seen in the packet that goes on; not given, it is as it came. */
  readonly out?: (family: Family) => Partial<Seen>;
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text));
}
