/**
 * The tunnels that end here: one for each family of addresses that they come from and each protocol in it.
 *
 *                outer IPv4              outer IPv6
 *   gre          47, either inside       47, either inside
 *   ipip         4: IPv4, 41: IPv6       4: IPv4, 41: IPv6
 */
import { familyOf } from '../datapath/kernel/description.ts';
import type { TunnelEndSpec } from '../model/tunnel-end.ts';
import { Protocol } from '../packet/packet.ts';

export type Family = 4 | 6;

export interface Tunnel {
  readonly outer: Family;
  /** Of the outer header: a number of `Protocol`. */
  readonly protocol: number;
  /** What may be inside: the families that there are VIPs of. */
  readonly inner: readonly Family[];
  /** Where it may come from, all of the outer family. */
  readonly from: readonly string[];
}

/** The tunnels that a specification asks for; none for `l2`. */
export function tunnelsOf({ vips, encapsulation, from }: TunnelEndSpec): readonly Tunnel[] {
  const inner = families.filter((family) => vips.some((vip) => familyOf(vip) === family));
  const contents: readonly Pick<Tunnel, 'protocol' | 'inner'>[] =
    encapsulation === 'gre'
      ? [{ protocol: Protocol.gre, inner }]
      : inner.map((family) => ({
          protocol: family === 4 ? Protocol.ipip : Protocol.ipv6,
          inner: [family],
        }));
  return families.flatMap((outer) => {
    const ours = from.filter((network) => familyOf(network) === outer);
    return ours.length === 0 ? [] : contents.map((content) => ({ outer, ...content, from: ours }));
  });
}

const families: readonly Family[] = [4, 6];
