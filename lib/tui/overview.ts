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

/** A part with a heading. Where room is short it loses its last lines, or its first ones where the latest count. */
interface Section {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly latestCount?: true;
}

/** With fewer lines the traffic has them all. */
const leastForHint = 4;

/** All lines of the overview. */
export function overviewLines(state: DashboardState): readonly Line[] {
  const { sample, hint } = state;
  const { main } = panesOf(state);
  if (sample === undefined) return [];
  const isHinted = hint !== '' && main.rows >= leastForHint;
  const room = isHinted ? main.rows - 2 : main.rows;
  const isRoomy = main.columns >= roomy.columns && main.rows >= roomy.rows;
  const sections = sectionsOf(state, sample, { columns: main.columns, rows: room }, isRoomy);
  const below = sections.reduce((sum, { lines }) => sum + 2 + lines.length, 0);
  const traffic = isRoomy
    ? charts(sample, main.columns, chartHeight(room - below))
    : sparklines(sample, main);
  const above = sections.reduce<readonly Line[]>(
    (lines, section) => stack(lines, section, main.columns, room),
    traffic.slice(0, room),
  );
  if (!isHinted) return above;
  const blank = Array.from({ length: main.rows - 1 - above.length }, () => emptyLine);
  return [...above, ...blank, [span(` ${hint}`, 'muted')]];
}

function sectionsOf(
  state: DashboardState,
  sample: Sample,
  { columns, rows }: Size,
  isRoomy: boolean,
): readonly Section[] {
  const third = Math.max(4, Math.floor(rows / 3));
  const services = serviceTable(sample, state.before, columns);
  const drops = dropTable(dropsOf(sample, state.before), columns);
  const always: readonly Section[] = [
    { title: 'Services', lines: tableLines(services, third, 'service') },
    {
      title: 'Drops',
      lines:
        drops.rows.length === 0 ? nothing('was dropped') : tableLines(drops, isRoomy ? 8 : third, 'reason'),
    },
  ];
  if (!isRoomy) return always;
  const { log } = state;
  const last = log.slice(-Math.floor(rows / 4)).map((entry) => logLine(entry, columns));
  return [
    always[0]!,
    { title: 'Backends', lines: tableLines(backendTable(state, columns), third, 'backend') },
    always[1]!,
    { title: 'Log', lines: last.length === 0 ? nothing('was logged') : last, latestCount: true },
  ];
}

function nothing(words: string): readonly Line[] {
  return [[span(` nothing ${words}`, 'muted')]];
}

/** A section below the others, unless there is no room for more than its heading. */
function stack(
  above: readonly Line[],
  { title, lines, latestCount }: Section,
  columns: number,
  room: number,
): readonly Line[] {
  const left = room - above.length - 2;
  if (left < 1) return above;
  const fitting = latestCount ? lines.slice(-left) : lines.slice(0, left);
  return [...above, emptyLine, headingLine(title, columns), ...fitting];
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
