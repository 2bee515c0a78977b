/** What services have in common in the documents of the control socket: their backends and their flows. */
import type { Backend } from '../balance/backend.ts';
import { formatBackend } from '../model/address.ts';
import { type FlowQuery, orderOfFlows } from '../model/flow-query.ts';
import type { BackendView, FlowsView, StateChange } from '../model/view.ts';
import type { RunningService } from './running-service.ts';

/** A backend as `backends` shows it. */
export function viewBackend(
  service: RunningService,
  backend: Backend,
  history: readonly StateChange[],
): BackendView {
  const seesAnswers = service.spec.mode !== 'dsr';
  const checks = service.checksOf(backend).map((tookMs) => tookMs && Math.round(tookMs * 100) / 100);
  return {
    service: service.spec.name,
    name: backend.name,
    address: formatBackend(backend.address, backend.port),
    weight: backend.weight,
    state: backend.state,
    health: {
      last: backend.healthLast,
      sinceMs: Math.round(Math.max(0, service.nowMs - backend.healthSinceMs)),
      latencyMs: checks.at(-1) ?? null,
      checks,
      passed: backend.checksPassed,
      failed: backend.checksFailed,
    },
    flows: backend.live,
    connections: backend.placed,
    failures: backend.failures,
    sourcePorts: service.sourcePortsOf(backend),
    packetsIn: backend.packetsIn,
    packetsOut: seesAnswers ? backend.packetsOut : null,
    bytesIn: backend.bytesIn,
    bytesOut: seesAnswers ? backend.bytesOut : null,
    history,
  };
}

/** What all services together have found. */
export function viewFlows(services: readonly RunningService[], query: FlowQuery): FlowsView {
  const sources = new Set(services.map(({ flowSource }) => flowSource));
  const found = [...sources].map((source) => source.flows(query));
  const flows = found.flatMap((each) => each.flows);
  if (found.length > 1) flows.sort(orderOfFlows(query));
  return {
    flows: flows.slice(0, query.limit),
    matching: found.reduce((sum, { matching }) => sum + matching, 0),
  };
}
