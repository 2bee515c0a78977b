/**
 * Tables that make the most of the width they have: where it is too small, the least important columns go first, and
 * those that may be squeezed are cut in their middle; where there is more than enough, the gaps grow a little.
 */
import { type Line, lineWidth, padLine, type Span, shorten, span, widthOf } from './text.ts';

export interface Column<Row> {
  /** Unique in its table. */
  readonly id: string;
  readonly title: string;
  cell(row: Row): Span | Line;
  /** What stands there instead where that has no room. */
  brief?(row: Row): Span;
  /** Numbers stand on the right, words on the left. */
  readonly right?: boolean;
  /** The greater, the sooner it goes; 0 stays to the last. */
  readonly rank: number;
  /** It takes so many cells at least, lest the table moves with every number. */
  readonly steady?: number;
  /** It may be squeezed to so many cells, by cutting text in its middle. */
  readonly least?: number;
}

export interface TableView {
  /** The columns that are in sight, by their ids. */
  readonly columns: readonly string[];
  readonly head: Line;
  readonly rows: readonly Line[];
}

const smallestGap = 2;
const largestGap = 4;

/** How a table is sorted, for a mark beside the title. */
export interface Sorting {
  readonly column: string;
  readonly isReversed: boolean;
}

/** The lines of a table of at most `width` cells; each begins with a blank cell. What is empty in all rows is left out. */
export function layTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
  sorting?: Sorting,
): TableView {
  const cells = new Map(columns.map((column) => [column, rows.map((row) => toLine(column.cell(row)))]));
  const telling = columns.filter(
    (column) => rows.length === 0 || cells.get(column)!.some((cell) => lineWidth(cell) > 0),
  );
  const titleOf = (column: Column<Row>) =>
    column.title + (column.id === sorting?.column ? mark(column, sorting) : '');
  const ideal = new Map(
    columns.map((column) => [
      column,
      Math.max(
        column.steady ?? 0,
        widthOf(titleOf(column)),
        ...cells.get(column)!.map((cell) => lineWidth(cell)),
      ),
    ]),
  );
  const fitting = columnsThatFit(telling, (column) => leastWidth(column, ideal.get(column)!), width - 1);
  const { widths, gap } = shareWidth(fitting, ideal, width - 1);
  const place = (column: Column<Row>, whole: Line, row?: Row): Line => {
    const own = widths.get(column)!;
    const isBrief = row !== undefined && column.brief !== undefined && lineWidth(whole) > own;
    const line = isBrief ? [column.brief!(row)] : whole;
    const squeezed =
      lineWidth(line) > own ? line.map(({ text, tone }) => span(shorten(text, own, 'middle'), tone)) : line;
    const missing = span(' '.repeat(Math.max(0, own - lineWidth(squeezed))));
    return column.right ? [missing, ...squeezed] : padLine(squeezed, own);
  };
  const join = (parts: readonly Line[]): Line => [
    span(' '),
    ...parts.flatMap((part, index) => (index === 0 ? part : [span(' '.repeat(gap)), ...part])),
  ];
  return {
    columns: fitting.map(({ id }) => id),
    head: join(
      fitting.map((column) =>
        place(column, [span(titleOf(column), column.id === sorting?.column ? 'strong' : 'muted')]),
      ),
    ),
    rows: rows.map((row, index) =>
      join(fitting.map((column) => place(column, cells.get(column)![index]!, row))),
    ),
  };
}

function toLine(cell: Span | Line): Line {
  return 'text' in cell ? [cell] : cell;
}

/** Numbers come greatest first, words in their order, unless reversed. */
function mark<Row>({ right }: Column<Row>, { isReversed }: Sorting): string {
  return (right === true) === isReversed ? '▲' : '▼';
}

function leastWidth<Row>({ least, title }: Column<Row>, ideal: number): number {
  return least === undefined ? ideal : Math.min(ideal, Math.max(least, widthOf(title) + 1));
}

/** Leaves out one after the other, the greatest rank first, until the rest has room. */
function columnsThatFit<Row>(
  columns: readonly Column<Row>[],
  least: (column: Column<Row>) => number,
  width: number,
): readonly Column<Row>[] {
  const needed = columns.reduce((sum, column) => sum + least(column), smallestGap * (columns.length - 1));
  if (needed <= width || columns.length <= 1) return columns;
  const last = columns.reduce((worst, column) => (column.rank >= worst.rank ? column : worst));
  return columnsThatFit(
    columns.filter((column) => column !== last),
    least,
    width,
  );
}

/** Every column has its least width; what is left goes to those that want more, and then to the gaps. */
function shareWidth<Row>(
  columns: readonly Column<Row>[],
  ideal: ReadonlyMap<Column<Row>, number>,
  width: number,
) {
  const gaps = Math.max(0, columns.length - 1);
  const widths = new Map(columns.map((column) => [column, leastWidth(column, ideal.get(column)!)]));
  let left = width - smallestGap * gaps - [...widths.values()].reduce((sum, each) => sum + each, 0);
  const wanting = () => columns.filter((column) => widths.get(column)! < ideal.get(column)!);
  for (let hungry = wanting(); left > 0 && hungry.length > 0; hungry = wanting()) {
    for (const column of hungry.slice(0, left)) {
      widths.set(column, widths.get(column)! + 1);
      left--;
    }
  }
  const extra = gaps === 0 ? 0 : Math.floor(Math.max(0, left) / gaps);
  return { widths, gap: Math.min(largestGap, smallestGap + extra) };
}
