/** What services have in common in the documents of the control socket: their backends and their flows. */
import type { Backend } from '../balance/backend.ts';
import { formatHostPort } from '../model/address.ts';
import type { BackendView, FlowView } from '../model/view.ts';
import type { RunningService } from './running-service.ts';

/** A backend as `backends` shows it. */
export function viewBackend({ spec, nowMs }: RunningService, backend: Backend): BackendView {
  return {
    service: spec.name,
    name: backend.name,
    address: formatHostPort(backend.address, backend.port),
    weight: backend.weight,
    state: backend.state,
    health: {
      last: backend.healthLast,
      sinceMs: Math.round(Math.max(0, nowMs - backend.healthSinceMs)),
    },
    flows: backend.live,
    connections: backend.placed,
    failures: backend.failures,
    bytesIn: backend.bytesIn,
    bytesOut: backend.bytesOut,
  };
}

/** The oldest flows of all services, at most `limit`. */
export function viewFlows(services: readonly RunningService[], limit: number): FlowView[] {
  const sources = new Set(services.map(({ flowSource }) => flowSource));
  const flows = [...sources].flatMap((source) => source.flows(limit));
  return flows.sort((one, other) => other.ageMs - one.ageMs).slice(0, limit);
}
