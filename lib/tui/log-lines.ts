/** The log as lines: when, how grave, what, and what belongs to it. */
import type { LogEntry } from '../model/view.ts';
import { timeOfDay } from './amounts.ts';
import { panesOf } from './layout.ts';
import { logRows } from './rows.ts';
import type { DashboardState } from './state.ts';
import { cutLine, emptyLine, type Line, selectLine, span, type Tone } from './text.ts';

const levelWidth = 5;

/** One entry; what does not fit is cut. */
export function logLine({ timeMs, level, message, fields }: LogEntry, width: number): Line {
  const words = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]): Line => [span(` ${name}=`, 'muted'), span(quoted(String(value)))]);
  return cutLine(
    [
      span(` ${timeOfDay(timeMs)} `, 'muted'),
      span(level.padEnd(levelWidth), levelTone(level)),
      span(` ${message}`),
      ...words,
    ],
    width,
  );
}

/** The view of the log: the entries that are in sight, the chosen one marked. */
export function logView(state: DashboardState): readonly Line[] {
  const { columns, rows } = panesOf(state).main;
  const { offset, index } = state.lists.log;
  const entries = logRows(state);
  if (entries.length === 0) {
    const words =
      state.filters.log === '' ? 'Nothing was logged yet.' : 'No line has that. Escape drops the filter.';
    return [emptyLine, [span(`  ${words}`, 'muted')]];
  }
  return entries.slice(offset, offset + rows).map((entry, row) => {
    const line = logLine(entry, columns);
    return offset + row === index ? selectLine(line, columns) : line;
  });
}

/** The graver, the redder. */
export function levelTone(level: LogEntry['level']): Tone {
  if (level === 'error') return 'bad';
  return level === 'warn' ? 'warn' : 'muted';
}

/** As in the log proper: quoted where it would not be clear where it ends. */
function quoted(text: string): string {
  return /^[^\s"=\p{Cc}]+$/u.test(text) ? text : JSON.stringify(text);
}
