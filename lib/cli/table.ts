/**
 * Text tables: a line of titles, then a line for each row, columns two spaces apart and as wide as their widest cell.
 *
 *     SERVICE  BACKEND         WEIGHT  STATE
 *     web      127.0.0.1:9001       1  up
 */
import { printable } from '../model/printable.ts';
import type { Paint, Style } from './style.ts';

export interface Column<Row> {
  readonly title: string;
  cell(row: Row): string;
  /** Numbers stand on the right, words on the left. */
  readonly right?: boolean;
  /** The colour of the cell, if it has any. */
  paint?(row: Row, style: Style): Paint;
}

/** The lines of a table. What a cell holds stays on its line and in its column, whatever it is. */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  style: Style,
): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.cell(row))));
  const widths = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]!.length)),
  );
  const pad = (text: string, index: number, paint: Paint) => {
    const space = ' '.repeat(widths[index]! - text.length);
    if (columns[index]!.right) return space + paint(text);
    return paint(text) + (index === columns.length - 1 ? '' : space);
  };
  const titles = columns.map(({ title }, index) => pad(title, index, style.dim));
  const lines = cells.map((line, rowIndex) =>
    line.map((text, index) =>
      pad(text, index, columns[index]!.paint?.(rows[rowIndex]!, style) ?? ((cell) => cell)),
    ),
  );
  return [titles, ...lines].map((line) => line.join('  '));
}
