/**
 * Which packets come to the queues: one list, in no tool's language. Whatever it does not name passes by untouched,
 * above all neighbour discovery (ICMPv6 133–137) and the machine's own traffic.
 *
 *   client ──▶ VIP:port         its worker by a hash of the client's address and port
 *   backend ──▶ SNAT:port       by the range that the port is in
 *   backend:port ──▶ client     (no SNAT) by the same hash, over the destination
 *   ICMP error                  by the ports of the packet that it quotes
 *   echo request ──▶ VIP        by a hash of the client's address
 *   fragment                    there is but one worker: with more of them the kernel puts datagrams together first
 */
import type { Protocol } from '../../model/spec.ts';
import { type Endpoint, familyOf, type PortRange, type RulesDescription } from './description.ts';

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

export type Selector = PortSelector | EchoSelector | ErrorSelector | FragmentSelector;

/** The selectors of a description, each once, the most frequent packets first. */
export function selectorsOf(description: RulesDescription): readonly Selector[] {
  const { vips, routedBackends } = description;
  const answers = snatRanges(description);
  const byHash = (client: 'source-client' | 'destination-client'): Steer =>
    description.workers === 1 ? 0 : client;
  const all: Selector[] = [
    ...vips.map((vip) => ports('destination', vip, single(vip), byHash('source-client'))),
    ...answers.map(({ endpoint, range, worker }) => ports('destination', endpoint, range, worker)),
    ...routedBackends.map((backend) =>
      ports('source', backend, single(backend), byHash('destination-client')),
    ),
    ...vips.map((vip) => error('source', vip, single(vip), byHash('destination-client'))),
    ...answers.map(({ endpoint, range, worker }) => error('source', endpoint, range, worker)),
    ...routedBackends.map((backend) =>
      error('destination', backend, single(backend), byHash('source-client')),
    ),
    ...vips.map(({ address }) => echo(address, byHash('source-client'))),
  ];
  if (description.workers === 1) {
    all.push(
      ...vips.map((vip) => fragments('destination', vip, vip.protocol)),
      ...vips.map((vip) => fragments('destination', vip, 'icmp')),
      ...answers.map(({ endpoint }) => fragments('destination', endpoint, endpoint.protocol)),
      ...routedBackends.map((backend) => fragments('source', backend, backend.protocol)),
    );
  }
  return [...new Map(all.map((selector) => [JSON.stringify(selector), selector])).values()];
}

/** Every SNAT address with every worker's ports, for the protocols that there are services of. */
function snatRanges({
  vips,
  snatAddresses,
  snatPorts,
}: RulesDescription): { endpoint: Omit<Endpoint, 'port'>; range: PortRange; worker: number }[] {
  const protocols = [...new Set(vips.map(({ protocol }) => protocol))];
  return snatAddresses.flatMap((address) =>
    protocols.flatMap((protocol) =>
      snatPorts.map((range, worker) => ({ endpoint: { address, protocol }, range, worker })),
    ),
  );
}

function single({ port }: Endpoint): PortRange {
  return [port, port];
}

type Place = Omit<Endpoint, 'port'>;

function ports(
  end: 'source' | 'destination',
  { address, protocol }: Place,
  range: PortRange,
  steer: Steer,
): PortSelector {
  return { kind: 'ports', family: familyOf(address), end, address, protocol, ports: range, steer };
}

function error(
  quotedEnd: 'source' | 'destination',
  { address, protocol }: Place,
  range: PortRange,
  steer: Steer,
): ErrorSelector {
  return { kind: 'error', family: familyOf(address), quotedEnd, address, protocol, ports: range, steer };
}

function echo(address: string, steer: Steer): EchoSelector {
  return { kind: 'echo', family: familyOf(address), address, steer };
}

function fragments(
  end: 'source' | 'destination',
  { address }: Place,
  protocol: Protocol | 'icmp',
): FragmentSelector {
  return { kind: 'fragments', family: familyOf(address), end, address, protocol, steer: 0 };
}
