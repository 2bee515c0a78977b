/** One row of the table of direct server return, and the packets that rows are made of. */
import type { ReasonName } from '../../../lib/forward/reasons.ts';
import { type Craft, craft, internetChecksum, type Seen } from '../../packet/craft.ts';
import type { Family } from '../balancer.ts';
import type { DsrBalancer, DsrBalancerOptions, Outside } from '../dsr-balancer.ts';

/** What the client sends, if nothing else is said: a SYN to the VIP that takes TCP. */
export function fromClient(family: Family, what: Partial<Craft> = {}): Uint8Array {
  return craft({
    source: family.client,
    destination: family.vip,
    sourcePort: 40_000,
    destinationPort: what.protocol === 'udp' ? 53 : 80,
    flags: 'S',
    sequence: 100,
    ...what,
  });
}

/** What the backend answers, in the VIP's name and past the balancer. */
export function answerTo(family: Family, what: Partial<Craft> = {}): Uint8Array {
  return craft({
    source: family.vip,
    destination: family.client,
    sourcePort: what.protocol === 'udp' ? 53 : 80,
    destinationPort: 40_000,
    flags: 'SA',
    sequence: 900,
    acknowledgement: 101,
    ...what,
  });
}

/** The packet with its time to live less by one, and nothing else changed. */
export function oneHopOn(packet: Uint8Array): Uint8Array {
  const after = packet.slice();
  if (after[0]! >> 4 === 6) {
    after[7]!--;
    return after;
  }
  after[8]!--;
  after[10] = 0;
  after[11] = 0;
  const checksum = internetChecksum(after.subarray(0, (after[0]! & 15) * 4));
  after[10] = checksum >> 8;
  after[11] = checksum & 255;
  return after;
}

/** The backends of a row: the policy's choice, and the other one. */
export type Backend = 'first' | 'other';

/** Has policy and hash choose these from now on. */
export function choose(
  balancer: DsrBalancer,
  outside: Outside,
  pick: Backend | undefined,
  place = pick,
): void {
  const endpointOf = (backend: Backend | undefined): number =>
    backend === undefined ? 0 : backend === 'first' ? outside.endpoint : outside.otherEndpoint;
  balancer.picks = () => endpointOf(pick);
  balancer.places = () => endpointOf(place);
}

export interface Row {
  readonly name: string;
  readonly options?: DsrBalancerOptions;
  /** What policy and hash choose, at first. */
  readonly pick?: Backend;
  readonly place?: Backend;
  /** Packets before the one in question, which all go on. */
  readonly before?: (family: Family) => readonly Uint8Array[];
  /** What happens between those and it. */
  readonly meanwhile?: (balancer: DsrBalancer, outside: Outside, family: Family) => void;
  readonly packet: (family: Family, outside: Outside) => Uint8Array;
  readonly flags?: number;
  /** The backend that it is sent to; or else what becomes of it. */
  readonly to?: Backend;
  readonly reason?: ReasonName;
  readonly verdict?: number;
  /** What must be seen in the packet that goes on; not given, it is as it came. */
  readonly out?: (family: Family) => Partial<Seen>;
}

export const accept = 0x01;
export const rewritten = 0x11;
export const drop = 0x00;
export const ack = { flags: 'A', sequence: 101, acknowledgement: 901 } as const;
