/**
 * The overview: traffic of the last minutes, services, and what was dropped. Where there is room the traffic becomes
 * charts, and the backends and the last of the log come to it.
 */
import { plural } from '../model/units.ts';
import { backendTable } from './backend-table.ts';
import { dropsOf, dropTable } from './drops.ts';
import { panesOf } from './layout.ts';
import { logLine } from './log-lines.ts';
import { serviceTable } from './service-table.ts';
import type { DashboardState, Sample, Size } from './state.ts';
import type { TableView } from './table.ts';
import { emptyLine, headingLine, type Line, span } from './text.ts';
import { charts, sparklines } from './traffic.ts';

/** From this size on there are charts. */
const roomy = { columns: 120, rows: 30 } as const;

const chartHeights = { least: 3, most: 12 } as const;

/** A part with a heading; it gives way to those above it, line by line from its end. */
interface Section {
  readonly title: string;
  readonly lines: readonly Line[];
}

/** All lines of the overview. */
export function overviewLines(state: DashboardState): readonly Line[] {
  const { sample, before, hint } = state;
  const { main } = panesOf(state);
  if (sample === undefined) return [];
  const { columns, rows } = main;
  const room = hint === '' ? rows : rows - 2;
  const isRoomy = columns >= roomy.columns && rows >= roomy.rows;
  const third = Math.max(4, Math.floor(room / 3));
  const services = tableLines(serviceTable(sample, before, columns), third, 'service');
  const drops = dropLines(sample, before, columns, isRoomy ? 8 : third);
  const sections = isRoomy
    ? [
        { title: 'Services', lines: services },
        { title: 'Backends', lines: tableLines(backendTable(state, columns), third, 'backend') },
        { title: 'Drops', lines: drops },
        { title: 'Log', lines: lastEntries(state, main) },
      ]
    : [
        { title: 'Services', lines: services },
        { title: 'Drops', lines: drops },
      ];
  const below = sections.reduce((sum, { lines }) => sum + 2 + lines.length, 0);
  const traffic = isRoomy
    ? charts(sample.history, columns, chartHeight(room - below))
    : sparklines(sample.history, main);
  const above = sections.reduce<readonly Line[]>(
    (lines, section) => stack(lines, section, columns, room),
    traffic.slice(0, room),
  );
  if (hint === '') return above;
  const blank = Array.from({ length: rows - 1 - above.length }, () => emptyLine);
  return [...above, ...blank, [span(` ${hint}`, 'muted')]];
}

/** A section below the others, unless there is no room for more than its heading. */
function stack(
  above: readonly Line[],
  { title, lines }: Section,
  columns: number,
  room: number,
): readonly Line[] {
  if (above.length + 3 > room) return above;
  return [...above, emptyLine, headingLine(title, columns), ...lines].slice(0, room);
}

/** Of two charts with their titles, and a line between, in so many lines. */
function chartHeight(room: number): number {
  const { least, most } = chartHeights;
  return Math.min(most, Math.max(least, Math.floor((room - 3) / 2)));
}

/** A table in so many lines at most; the last says how much is not shown. */
function tableLines({ head, rows }: TableView, most: number, what: string): readonly Line[] {
  if (rows.length === 0) return [[span(` no ${what} yet`, 'muted')]];
  if (rows.length < most) return [head, ...rows];
  const shown = rows.slice(0, most - 2);
  return [head, ...shown, [span(` and ${plural(rows.length - shown.length, `more ${what}`)}`, 'muted')]];
}

function dropLines(
  sample: Sample,
  before: Sample | undefined,
  columns: number,
  most: number,
): readonly Line[] {
  const drops = dropsOf(sample, before);
  if (drops.length === 0) return [[span(' nothing was dropped', 'muted')]];
  return tableLines(dropTable(drops, columns), most, 'reason');
}

function lastEntries({ log }: DashboardState, { columns, rows }: Size): readonly Line[] {
  if (log.length === 0) return [[span(' nothing was logged', 'muted')]];
  return log.slice(-Math.floor(rows / 4)).map((entry) => logLine(entry, columns));
}
