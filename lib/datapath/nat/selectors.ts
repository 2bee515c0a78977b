/**
 * Which packets mode nat rewrites.
 *
 *   client ──▶ VIP:port         its worker by a hash of the client's address and port
 *   backend ──▶ SNAT:port       by the range that the port is in
 *   backend:port ──▶ client     (no SNAT) by the same hash, over the destination
 *   ICMP error                  by the ports of the packet that it quotes
 *   echo request ──▶ VIP        by a hash of the client's address
 *   fragment                    there is but one worker: with more of them the kernel puts datagrams together first
 */
import type { Endpoint, PortRange } from '../kernel/description.ts';
import {
  distinct,
  echo,
  error,
  fragments,
  ports,
  type Selector,
  type Steer,
  single,
} from '../kernel/selectors.ts';

export interface NatPlaces {
  /** What clients send to. */
  readonly vips: readonly Endpoint[];
  /** Addresses that rewritten packets leave from; none if every service keeps the client's (`--snat none`). */
  readonly snatAddresses: readonly string[];
  /** The ports they leave from, by worker: disjoint ranges, so that a port tells whose answer it is. */
  readonly snatPorts: readonly PortRange[];
  /** Backends of the services that keep the client's address: their answers come through this machine. */
  readonly routedBackends: readonly Endpoint[];
  readonly workers: number;
}

/** The selectors of mode nat, each once, the most frequent packets first. */
export function natSelectors(places: NatPlaces): readonly Selector[] {
  const { vips, routedBackends, workers } = places;
  const answers = snatRanges(places);
  const byHash = (client: 'source-client' | 'destination-client'): Steer => (workers === 1 ? 0 : client);
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
  if (workers === 1) {
    all.push(
      ...vips.map((vip) => fragments('destination', vip, vip.protocol)),
      ...vips.map((vip) => fragments('destination', vip, 'icmp')),
      ...answers.map(({ endpoint }) => fragments('destination', endpoint, endpoint.protocol)),
      ...routedBackends.map((backend) => fragments('source', backend, backend.protocol)),
    );
  }
  return distinct(all);
}

/** Every SNAT address with every worker's ports, for the protocols that there are services of. */
function snatRanges({
  vips,
  snatAddresses,
  snatPorts,
}: NatPlaces): { endpoint: Omit<Endpoint, 'port'>; range: PortRange; worker: number }[] {
  const protocols = [...new Set(vips.map(({ protocol }) => protocol))];
  return snatAddresses.flatMap((address) =>
    protocols.flatMap((protocol) =>
      snatPorts.map((range, worker) => ({ endpoint: { address, protocol }, range, worker })),
    ),
  );
}
