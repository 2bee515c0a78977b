/** What `sluice backend` says of itself when it is ready. */
import { Protocol } from '../packet/packet.ts';
import type { Admission, TunnelEndPlan } from '../tunnel-end/plan.ts';

/** The event for scripts. A VIP's `mss` is null where it is left as it is. */
export function readyEvent({ rules }: TunnelEndPlan) {
  const sizes = new Map(rules.segmentSizes.map(({ vip, mss }) => [vip, mss]));
  return {
    event: 'ready',
    vips: rules.vips.map((address) => ({ address, mss: sizes.get(address) ?? null })),
    tunnels: [
      ...rules.admitted.map((admission) => ({ ...tunnelView(admission), by: 'kernel' })),
      ...rules.queued.map((admission) => ({ ...tunnelView(admission), by: 'sluice' })),
    ],
  };
}

function tunnelView({ family, protocol, from }: Admission) {
  return { from, outer: `ipv${family}`, protocol: protocolName(protocol) };
}

/** `sluice: ready, 192.0.2.10 (segments of 1436 bytes), gre from 10.0.0.1 taken in by the kernel`. */
export function readyLine(plan: TunnelEndPlan): string {
  const { vips, tunnels } = readyEvent(plan);
  const addresses = vips.map(({ address, mss }) =>
    mss === null ? address : `${address} (segments of ${mss} bytes)`,
  );
  const by = (who: string): string[] => {
    const ours = tunnels.filter((tunnel) => tunnel.by === who);
    if (ours.length === 0) return [];
    const protocols = [...new Set(ours.map(({ protocol }) => protocol))].join(', ');
    const sources = [...new Set(ours.map(({ from }) => from))].join(', ');
    return [`${protocols} from ${sources} taken in by ${who === 'kernel' ? 'the kernel' : who}`];
  };
  return `sluice: ready, ${[...addresses, ...by('kernel'), ...by('sluice')].join(', ')}`;
}

function protocolName(protocol: number): string {
  switch (protocol) {
    case Protocol.gre:
      return 'gre';
    case Protocol.ipip:
      return 'ipv4 in ip';
    default:
      return 'ipv6 in ip';
  }
}
