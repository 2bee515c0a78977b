/** How flows of a proxy present themselves to people, TCP connections and UDP sessions alike. */
import type { Backend } from '../balance/backend.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import { formatHostPort } from '../model/address.ts';
import { unmapped } from '../model/ip.ts';
import type { FlowState, FlowView } from '../model/view.ts';
import type { ProxyContext } from './context.ts';
import type { MeteredFlow } from './flow-meter.ts';

export interface ProxiedFlow extends FlowTuple, MeteredFlow {
  readonly state: FlowState;
  readonly backend: Backend | null;
  readonly startedMs: number;
  readonly lastMs: number;
  /** A stream is passed on in bytes; the kernel keeps its packets to itself. */
  readonly packetsIn: number | null;
  readonly packetsOut: number | null;
}

/** `rates`: whether the flow was metered just now. */
export function viewFlow(flow: ProxiedFlow, context: ProxyContext, rates = false): FlowView {
  const { backend } = flow;
  return {
    protocol: flow.protocol,
    client: formatHostPort(unmapped(flow.clientAddress), flow.clientPort),
    vip: formatHostPort(unmapped(flow.vipAddress), flow.vipPort),
    backend: backend === null ? null : formatHostPort(backend.address, backend.port),
    service: context.service,
    state: flow.state,
    mode: 'proxy',
    ageMs: Math.round(context.nowMs - flow.startedMs),
    idleMs: Math.round(context.nowMs - flow.lastMs),
    packetsIn: flow.packetsIn,
    packetsOut: flow.packetsOut,
    bytesIn: flow.bytesIn,
    bytesOut: flow.bytesOut,
    ...(rates && {
      bytesInPerSecond: Math.round(flow.bytesInPerSecond),
      bytesOutPerSecond: Math.round(flow.bytesOutPerSecond),
    }),
  };
}
