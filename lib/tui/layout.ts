/**
 * Where things stand on the screen.
 *
 *     title   ┐
 *     tabs    │ head
 *     rule    ┘
 *     content
 *     foot      hints, a notice, or a prompt
 */
import type { DashboardState, Size, ViewName } from './state.ts';

const headLines = 3;
const footLines = 1;

/** From so many columns on the details stand beside the table, and below it otherwise. */
const wideColumns = 150;
const detailColumns = 64;
const detailLines = 10;

/** Lines between head and foot. */
export function contentHeight({ rows }: Size): number {
  return Math.max(1, rows - headLines - footLines);
}

export interface Panes {
  readonly main: Size;
  /** Undefined while it is closed, and where there is no room for it. */
  readonly detail: { readonly size: Size; readonly side: 'right' | 'below' } | undefined;
}

/** The parts of the content in the present view. */
export function panesOf({
  size,
  view,
  isDetailOpen,
}: Pick<DashboardState, 'size' | 'view' | 'isDetailOpen'>): Panes {
  const whole = { columns: size.columns, rows: contentHeight(size) };
  if (!isDetailOpen || !hasDetail(view)) return { main: whole, detail: undefined };
  if (whole.columns >= wideColumns) {
    return {
      main: { columns: whole.columns - detailColumns - 1, rows: whole.rows },
      detail: { size: { columns: detailColumns, rows: whole.rows }, side: 'right' },
    };
  }
  const rows = Math.min(detailLines, Math.floor(whole.rows / 2));
  return {
    main: { columns: whole.columns, rows: whole.rows - rows },
    detail: { size: { columns: whole.columns, rows }, side: 'below' },
  };
}

/** Whether a row of the view has details. */
export function hasDetail(view: ViewName): boolean {
  return view !== 'overview';
}

/** Rows of the present list that are in sight; its head takes a line but in the log. */
export function listHeight(state: Pick<DashboardState, 'size' | 'view' | 'isDetailOpen'>): number {
  const { main } = panesOf(state);
  return Math.max(1, main.rows - (state.view === 'log' ? 0 : 1));
}
