/** Flows of a proxy counted by backend, with a few of each as examples. */
import type { Backend } from '../balance/backend.ts';
import type { FlowView } from '../model/view.ts';

export interface BackendFlows {
  /** Null for those that wait for one. */
  readonly backend: Backend | null;
  readonly flows: number;
  readonly examples: readonly FlowView[];
}

/** Views up to `examples` flows of each backend and no more: to view one may cost system calls. */
export function groupByBackend<Flow extends { readonly backend: Backend | null }>(
  flows: Iterable<Flow>,
  examples: number,
  view: (flow: Flow) => FlowView,
): BackendFlows[] {
  const groups = new Map<Backend | null, { flows: number; readonly examples: FlowView[] }>();
  for (const flow of flows) {
    let group = groups.get(flow.backend);
    if (group === undefined) {
      group = { flows: 0, examples: [] };
      groups.set(flow.backend, group);
    }
    group.flows++;
    if (group.examples.length < examples) group.examples.push(view(flow));
  }
  return Array.from(groups, ([backend, group]) => ({ backend, ...group }));
}
