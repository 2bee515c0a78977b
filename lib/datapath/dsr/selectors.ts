/**
 * Which packets mode dsr is about. Answers are not among them: they do not pass here.
 *
 *   client ──▶ VIP:port         its worker by a hash of the client's address and port
 *   router ──▶ VIP              ICMP errors over an answer of a backend's, by the client in the packet that they quote
 *   router ──▶ outer source     ICMP errors over a packet in a tunnel
 *   echo request ──▶ VIP        by a hash of the client's address
 *   fragment ──▶ VIP            there is but one worker: with more of them the kernel puts datagrams together first
 */
import type { EncapsulationName } from '../../model/encapsulation.ts';
import type { Endpoint } from '../kernel/description.ts';
import {
  distinct,
  echo,
  error,
  fragments,
  ports,
  type Selector,
  type Steer,
  single,
  tunnelError,
} from '../kernel/selectors.ts';

/** Where tunnels begin: an address or a network, and what goes into them. */
export interface TunnelSource {
  readonly network: string;
  readonly encapsulation: EncapsulationName;
}

export interface DsrPlaces {
  readonly vips: readonly Endpoint[];
  readonly tunnelSources: readonly TunnelSource[];
  readonly workers: number;
}

/** IP protocols of tunnels: GRE; IPv4 and IPv6 in IP. */
const protocolsOf: Readonly<Record<EncapsulationName, readonly number[]>> = {
  gre: [47],
  ipip: [4, 41],
  l2: [],
};

/** The selectors of mode dsr, each once, the most frequent packets first. */
export function dsrSelectors({ vips, tunnelSources, workers }: DsrPlaces): readonly Selector[] {
  const byHash = (client: 'source-client' | 'destination-client'): Steer => (workers === 1 ? 0 : client);
  return distinct([
    ...vips.map((vip) => ports('destination', vip, single(vip), byHash('source-client'))),
    ...vips.map((vip) => error('source', vip, single(vip), byHash('destination-client'))),
    ...tunnelSources.flatMap(({ network, encapsulation }) =>
      protocolsOf[encapsulation].map((protocol) => tunnelError(network, protocol)),
    ),
    ...vips.map(({ address }) => echo(address, byHash('source-client'))),
    ...(workers > 1
      ? []
      : vips.flatMap((vip) => [
          fragments('destination', vip, vip.protocol),
          fragments('destination', vip, 'icmp'),
        ])),
  ]);
}
