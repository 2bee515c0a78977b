/**
 * What clients may put into one segment, so that the packet around it fits through the tunnel. The tunnelled direction
 * is theirs alone, and they go by what this machine says in its SYN-ACK, which the balancer never sees.
 *
 *   │ outer IP │ GRE │ inner IP │ TCP │ segment │
 *   ├─ overhead ─────┼─ 20, 40 ─┼─ 20 ┼─────────┤
 *   └─ the path's MTU ──────────────────────────┘
 */
import { familyOf } from '../datapath/kernel/description.ts';
import type { TunnelEndSpec } from '../model/tunnel-end.ts';
import { Encapsulation, overheadOf } from '../packet/encapsulate.ts';
import { Ipv4 } from '../packet/ipv4.ts';
import { Ipv6 } from '../packet/ipv6.ts';
import { Tcp } from '../packet/tcp.ts';

export interface SegmentSize {
  readonly vip: string;
  /** In bytes, without options. */
  readonly mss: number;
}

/** The segment size of each VIP that has one. `mtuFrom` is the MTU of the path from a source of tunnels to here. */
export function segmentSizes(
  { vips, encapsulation, from, mss }: TunnelEndSpec,
  mtuFrom: (network: string) => number,
): readonly SegmentSize[] {
  if (mss === 'off') return [];
  if (mss !== 'auto') return vips.map((vip) => ({ vip, mss }));
  const kind = Encapsulation[encapsulation];
  if (kind === Encapsulation.l2) return [];
  const room = Math.min(...from.map((network) => mtuFrom(network) - overheadOf(kind, familyOf(network))));
  return vips.map((vip) => ({ vip, mss: room - headersOf(familyOf(vip)) }));
}

function headersOf(family: 4 | 6): number {
  return (family === 4 ? Ipv4.minimumLength : Ipv6.headerLength) + Tcp.minimumLength;
}
