/** The views that are one table: its head, the rows in sight, and a word where there are none. */
import { backendTable } from './backend-table.ts';
import { flowTable } from './flow-table.ts';
import { listHeight, panesOf } from './layout.ts';
import type { DashboardState } from './state.ts';
import type { TableView } from './table.ts';
import { emptyLine, type Line, selectLine, span } from './text.ts';

/** The view of the flows. */
export function flowLines(state: DashboardState): readonly Line[] {
  return tableLines(state, flowTable(state, panesOf(state).main.columns), noFlows(state));
}

/** The view of the backends. */
export function backendLines(state: DashboardState): readonly Line[] {
  return tableLines(state, backendTable(state, panesOf(state).main.columns), noBackends(state));
}

function tableLines(
  state: DashboardState,
  { head, rows }: TableView,
  emptyWords: readonly string[],
): readonly Line[] {
  if (rows.length === 0)
    return [head, emptyLine, ...emptyWords.map((words) => [span(`  ${words}`, 'muted')])];
  const { offset, index } = state.lists[state.view];
  const { columns } = panesOf(state).main;
  const shown = rows.slice(offset, offset + listHeight(state));
  return [head, ...shown.map((line, row) => (offset + row === index ? selectLine(line, columns) : line))];
}

function noFlows({ filters, sample }: DashboardState): readonly string[] {
  if (sample === undefined) return [];
  if (filters.flows !== '') return ['No flow fits the filter. Escape drops it.'];
  const listens = sample.status.services.map(({ listen }) => listen).join(', ');
  return ['No flows yet.', `Clients that come to ${listens} appear here.`];
}

function noBackends({ filters, sample }: DashboardState): readonly string[] {
  if (sample === undefined) return [];
  return [
    filters.backends === '' ? 'No service has a backend.' : 'No backend fits the filter. Escape drops it.',
  ];
}
