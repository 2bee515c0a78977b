/**
 * Which packets come to the queues: what a rule selects, in no tool's language. Whatever no selector names passes by
 * untouched, above all neighbour discovery (ICMPv6 133–137) and the machine's own traffic.
 */
import type { Protocol } from '../../model/spec.ts';
import { type Endpoint, familyOf, type PortRange } from './description.ts';

/** How a packet finds its worker: by number, or by the hash over the client, the one or the other end of it. */
export type Steer = number | 'source-client' | 'destination-client';

interface Common {
  readonly family: 4 | 6;
  readonly steer: Steer;
}

/** Packets to or from ports of an address. */
export interface PortSelector extends Common {
  readonly kind: 'ports';
  readonly end: 'source' | 'destination';
  readonly address: string;
  readonly protocol: Protocol;
  readonly ports: PortRange;
}

/** Echo requests to an address. */
export interface EchoSelector extends Common {
  readonly kind: 'echo';
  readonly address: string;
}

/**
 * ICMP errors over a TCP or UDP packet that one end had sent: to `address` over a packet from its `ports`, or, with
 * `quotedEnd` destination, to whomever over a packet to `address` and `ports`. The steer's ends are the quoted packet's.
 */
export interface ErrorSelector extends Common {
  readonly kind: 'error';
  readonly quotedEnd: 'source' | 'destination';
  readonly address: string;
  readonly protocol: Protocol;
  readonly ports: PortRange;
}

/** All fragments of an address, the first ones too: only so is it known which of the later ones are nobody's. */
export interface FragmentSelector extends Common {
  readonly kind: 'fragments';
  readonly end: 'source' | 'destination';
  readonly address: string;
  readonly protocol: Protocol | 'icmp';
}

/** ICMP errors to an address or a network over a packet in a tunnel (an IP protocol: 47, 4, 41) that left from there. */
export interface TunnelErrorSelector extends Common {
  readonly kind: 'tunnel-error';
  readonly address: string;
  readonly protocol: number;
}

export type Selector = PortSelector | EchoSelector | ErrorSelector | FragmentSelector | TunnelErrorSelector;

type Place = Omit<Endpoint, 'port'>;

/** The range that is one port. */
export function single({ port }: Endpoint): PortRange {
  return [port, port];
}

/** Selects by the ports at one end. */
export function ports(
  end: 'source' | 'destination',
  { address, protocol }: Place,
  range: PortRange,
  steer: Steer,
): PortSelector {
  return { kind: 'ports', family: familyOf(address), end, address, protocol, ports: range, steer };
}

/** Selects errors over packets from, or to, a place. */
export function error(
  quotedEnd: 'source' | 'destination',
  { address, protocol }: Place,
  range: PortRange,
  steer: Steer,
): ErrorSelector {
  return { kind: 'error', family: familyOf(address), quotedEnd, address, protocol, ports: range, steer };
}

/** Selects echo requests. */
export function echo(address: string, steer: Steer): EchoSelector {
  return { kind: 'echo', family: familyOf(address), address, steer };
}

/** Selects errors over tunnels from an address or a network (`10.7.0.0/24`); any worker can tell whom they concern. */
export function tunnelError(address: string, protocol: number): TunnelErrorSelector {
  return { kind: 'tunnel-error', family: familyOf(address), address, protocol, steer: 0 };
}

/** Selects fragments, for the one worker that there is. */
export function fragments(
  end: 'source' | 'destination',
  { address }: Place,
  protocol: Protocol | 'icmp',
): FragmentSelector {
  return { kind: 'fragments', family: familyOf(address), end, address, protocol, steer: 0 };
}

/** The same selectors, each once. */
export function distinct(selectors: readonly Selector[]): readonly Selector[] {
  return [...new Map(selectors.map((selector) => [JSON.stringify(selector), selector])).values()];
}
