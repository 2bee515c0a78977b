/** How a running proxy service presents itself: the documents of the control socket. */
import type { Backend } from '../balance/backend.ts';
import { formatHostPort, formatListen } from '../model/address.ts';
import type { BackendView, FlowView, ServiceView } from '../model/view.ts';
import type { ProxyService } from './proxy-service.ts';

/** The service as `status` shows it. */
export function viewService(service: ProxyService): ServiceView {
  const { spec, pool, context, tcp } = service;
  return {
    name: spec.name,
    mode: spec.mode,
    listen: service.listen.map(formatListen).join(','),
    balance: spec.balance,
    backends: spec.backends.length,
    backendsUp: pool.fit,
    flows: service.flowCount,
    queued: tcp.queued,
    connections: context.connections,
    bytesIn: context.bytesIn,
    bytesOut: context.bytesOut,
    dropped: { ...context.dropped },
  };
}

/** One of its backends as `backends` shows it. */
export function viewBackend(service: ProxyService, backend: Backend): BackendView {
  return {
    service: service.spec.name,
    name: backend.name,
    address: formatHostPort(backend.address, backend.port),
    weight: backend.weight,
    state: backend.state,
    health: {
      last: backend.healthLast,
      sinceMs: Math.round(Math.max(0, service.context.nowMs - backend.healthSinceMs)),
    },
    flows: backend.live,
    connections: backend.placed,
    failures: backend.failures,
    bytesIn: backend.bytesIn,
    bytesOut: backend.bytesOut,
  };
}

/** The oldest flows of all services, at most `limit`. */
export function viewFlows(services: readonly ProxyService[], limit: number): FlowView[] {
  const flows = services.flatMap(({ tcp, udp }) => [...tcp.view(limit), ...udp.view(limit)]);
  return flows.sort((one, other) => other.ageMs - one.ageMs).slice(0, limit);
}
