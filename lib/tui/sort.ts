/** By which column a table is sorted: among those that are in sight, the next, the one before, or the other way round. */
import { type FlowSort, flowSorts } from '../model/flow-query.ts';
import { backendTable } from './backend-table.ts';
import { outcome, type Update } from './effects.ts';
import { flowTable } from './flow-table.ts';
import { panesOf } from './layout.ts';
import { flowSort } from './rows.ts';
import { type BackendSort, backendSorts, type DashboardState, type Sort } from './state.ts';

export type SortStep = 'next' | 'previous' | 'reverse';

/** The state with the present table sorted otherwise. */
export function sortBy(state: DashboardState, step: SortStep): Update {
  const { main } = panesOf(state);
  switch (state.view) {
    case 'flows': {
      const columns = columnsOf<FlowSort>(flowSorts, flowTable(state, main.columns).columns);
      return outcome({ ...state, flowSort: stepped(columns, flowSort(state), step) }, { type: 'refresh' });
    }
    case 'backends': {
      const columns = columnsOf<BackendSort>(backendSorts, backendTable(state, main.columns).columns);
      return outcome({ ...state, backendSort: stepped(columns, state.backendSort, step) });
    }
    default:
      return outcome(state);
  }
}

/** The columns in sight that can be sorted by, from left to right. */
function columnsOf<Column extends string>(
  sortable: readonly Column[],
  shown: readonly string[],
): readonly Column[] {
  return shown.flatMap((id) => sortable.filter((column) => column === id));
}

function stepped<Column extends string>(
  columns: readonly Column[],
  { column, isReversed }: Sort<Column>,
  step: SortStep,
): Sort<Column> {
  if (step === 'reverse') return { column, isReversed: !isReversed };
  const by = step === 'next' ? 1 : -1;
  const at = columns.indexOf(column);
  const next = columns[(at + by + columns.length) % columns.length];
  return { column: next ?? column, isReversed: false };
}
