/** Which rows each list has, in which order: what the instance has said, filtered and sorted as the person wants it. */
import { stateAgeMs } from '../model/backend-age.ts';
import { type FlowTerm, fitsEndpoint, fitsName, parseFlowFilter } from '../model/flow-filter.ts';
import type { FlowQuery, FlowSort } from '../model/flow-query.ts';
import { parseIp } from '../model/ip.ts';
import { endpointKey, splitEndpoint } from '../model/shown-endpoint.ts';
import type { BackendView, FlowView, LogEntry } from '../model/view.ts';
import { listHeight } from './layout.ts';
import { backendKey, backendRates } from './rates.ts';
import { seesAnswers } from './sight.ts';
import type { BackendSort, DashboardState, Sort } from './state.ts';

/** What is asked of the instance for the table of flows: those in sight, and as many to scroll to. */
export function flowQuery(state: DashboardState): FlowQuery {
  const { column, isReversed } = flowSort(state);
  const height = listHeight({ ...state, view: 'flows' });
  return {
    limit: state.lists.flows.offset + 2 * height,
    sort: column,
    reverse: isReversed,
    filter: parseFlowFilter(state.filters.flows),
    rates: true,
  };
}

/** By speed towards the clients unless somebody has chosen, or towards the backends where nothing else is seen. */
export function flowSort({ flowSort: chosen, sample }: DashboardState): Sort<FlowSort> {
  if (chosen !== undefined) return chosen;
  return { column: seesAnswers(sample?.status.services ?? []) ? 'rate-out' : 'rate-in', isReversed: false };
}

/** In the order in which the instance has sent them. */
export function flowRows({ sample }: DashboardState): readonly FlowView[] {
  return sample?.flows?.flows ?? [];
}

/** What tells a flow from all others. */
export function flowKey({ protocol, client, vip }: Pick<FlowView, 'protocol' | 'client' | 'vip'>): string {
  return `${protocol} ${client} ${vip}`;
}

/** The backends that fit the filter, sorted. */
export function backendRows({
  sample,
  before,
  filters,
  backendSort,
}: DashboardState): readonly BackendView[] {
  if (sample === undefined) return [];
  const { terms } = parseFlowFilter(filters.backends);
  const rows = sample.backends
    .filter((backend) => terms.every((term) => fitsBackend(backend, term)))
    .map((backend) => ({ backend, rates: backendRates(backend, sample, before) }));
  const key = sortKeys[backendSort.column];
  const sign = backendSort.isReversed ? -1 : 1;
  return rows
    .sort(
      (one, other) =>
        sign * compare(key(one), key(other)) ||
        compare(one.backend.service, other.backend.service) ||
        compare(endpointKey(one.backend.address), endpointKey(other.backend.address)),
    )
    .map(({ backend }) => backend);
}

/** The backend behind the chosen row of the present view, if there is one. */
export function chosenBackend(state: DashboardState): BackendView | undefined {
  if (state.view === 'backends') return backendRows(state)[state.lists.backends.index];
  const flow = chosenFlow(state);
  return state.sample?.backends.find(
    ({ service, address }) => service === flow?.service && address === flow.backend,
  );
}

/** The chosen row of the table of flows, while that is in sight. */
export function chosenFlow(state: DashboardState): FlowView | undefined {
  return state.view === 'flows' ? flowRows(state)[state.lists.flows.index] : undefined;
}

/** Entries that have the filter's text in them, oldest first. */
export function logRows({ log, filters }: DashboardState): readonly LogEntry[] {
  const wanted = filters.log.toLowerCase();
  return wanted === '' ? log : log.filter((entry) => logText(entry).toLowerCase().includes(wanted));
}

/** The chosen line of the log, while that is in sight. */
export function chosenEntry(state: DashboardState): LogEntry | undefined {
  return state.view === 'log' ? logRows(state)[state.lists.log.index] : undefined;
}

/** What stands in the line of an entry, but for the time. */
export function logText({ level, message, fields }: LogEntry): string {
  const words = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return [level, message, ...words].join(' ');
}

/** The keys of the rows of the present view. */
export function rowKeys(state: DashboardState): readonly string[] {
  switch (state.view) {
    case 'overview':
      return [];
    case 'flows':
      return flowRows(state).map(flowKey);
    case 'backends':
      return backendRows(state).map(backendKey);
    case 'log':
      return logRows(state).map(({ sequence }) => String(sequence));
  }
}

interface RatedBackend {
  readonly backend: BackendView;
  readonly rates: ReturnType<typeof backendRates>;
}

/** The smaller comes first: so numbers are negated, that the greatest do. */
const sortKeys: Readonly<Record<BackendSort, (row: RatedBackend) => string | number>> = {
  backend: ({ backend }) => backend.name,
  service: ({ backend }) => backend.service,
  state: ({ backend }) => backend.state,
  since: ({ backend }) => stateAgeMs(backend),
  weight: ({ backend }) => -backend.weight,
  flows: ({ backend }) => -backend.flows,
  latency: ({ backend }) => -(backend.health.latencyMs ?? -1),
  new: ({ rates }) => -(rates.opened ?? -1),
  'rate-in': ({ rates }) => -(rates.inbound ?? -1),
  'rate-out': ({ rates }) => -(rates.outbound ?? -1),
};

function compare<Value extends string | number>(one: Value, other: Value): number {
  return one < other ? -1 : Number(one > other);
}

const bytes = new Uint8Array(16);

/** A backend fits what one of its flows would fit. */
function fitsBackend({ service, name, address, state }: BackendView, term: FlowTerm): boolean {
  switch (term.kind) {
    case 'name':
      return (
        fitsName(
          term,
          term.of.map((of) => ({ service, backend: name })[of]),
        ) || state.includes(term.text)
      );
    case 'endpoint': {
      const { address: host, port } = splitEndpoint(address);
      return parseIp(host, bytes, 0) !== 0 && fitsEndpoint(term, bytes, 0, port);
    }
    default:
      return true;
  }
}
