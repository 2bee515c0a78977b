/**
 * An instance that answers in its own time: across its control socket, or in this very process. The dashboard knows
 * no other, so that it is the same in both places.
 */
import type { FlowTuple } from '../hash/flow-key.ts';
import type { FlowQuery } from '../model/flow-query.ts';
import type { TraceView } from '../model/trace.ts';
import type { BackendView, FlowsView, HistoryView, LogView, StatusView } from '../model/view.ts';
import type { BackendPatch, Controllable } from './controllable.ts';

/** What there is to see and to change; each as in `Controllable`. Every answer may be an error instead. */
export interface ReachableInstance {
  status(): Promise<StatusView>;
  backends(): Promise<readonly BackendView[]>;
  flows(query: FlowQuery): Promise<FlowsView>;
  history(steps: number): Promise<HistoryView>;
  log(after: number): Promise<LogView>;
  trace(flow: FlowTuple): Promise<TraceView>;
  patchBackend(
    service: string | undefined,
    backend: string,
    patch: BackendPatch,
  ): Promise<readonly BackendView[]>;
}

/** The instance of this process, reached without a socket. */
export function withinProcess(instance: Controllable): ReachableInstance {
  return {
    status: async () => instance.status(),
    backends: async () => instance.backends(),
    flows: async (query) => instance.flows(query),
    history: async (steps) => instance.history(steps),
    log: async (after) => instance.log(after),
    trace: (flow) => instance.trace(flow),
    patchBackend: async (service, backend, patch) => instance.patchBackend(service, backend, patch),
  };
}
