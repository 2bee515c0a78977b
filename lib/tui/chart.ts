/**
 * Numbers over time as bars, an eighth of a cell fine: one line high (a sparkline) or several (a chart).
 *
 *     ▁▂▃▄▅▆▇█
 */

import { type Line, type Span, span, type Tone } from './text.ts';

/** From nothing to a full cell; nothing is shown as a line at the foot, so that it differs from what is not known. */
const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** What the axis ends at: the next of 1, 2 and 5 times a power of ten, so that it does not move with every value. */
export function axisEnd(values: readonly (number | null)[]): number {
  const greatest = values.reduce<number>((most, value) => Math.max(most, value ?? 0), 0);
  if (greatest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(greatest));
  const step = [1, 2, 5, 10].find((factor) => greatest <= factor * power);
  return (step ?? 10) * power;
}

/**
 * The last values as `height` lines of `width` cells, the newest on the right. Where there is no value, because it is
 * not known or was before the beginning, the cell is blank; where nothing was, the foot is muted.
 */
export function bars(values: readonly (number | null)[], width: number, height: number, tone: Tone): Line[] {
  const shown = values.slice(Math.max(0, values.length - width));
  const end = axisEnd(shown);
  const steps = blocks.length;
  const heights = shown.map((value) =>
    value === null ? 0 : Math.max(1, Math.round((Math.max(0, value) / end) * height * steps)),
  );
  const blank = ' '.repeat(width - shown.length);
  return Array.from({ length: height }, (_, line) => {
    const below = (height - 1 - line) * steps;
    const cells = heights.map((bar, index) => {
      const here = Math.min(steps, bar - below);
      return span(here <= 0 ? ' ' : blocks[here - 1]!, shown[index] === 0 ? 'muted' : tone);
    });
    return joined([span(blank), ...cells]);
  });
}

/** The same with neighbours of one tone as one piece. */
function joined(cells: Line): Line {
  return cells.reduce<Span[]>((line, { text, tone }) => {
    const last = line.at(-1);
    if (text === '') return line;
    if (last?.tone === tone) line[line.length - 1] = { text: last.text + text, tone };
    else line.push({ text, tone });
    return line;
  }, []);
}

const latencyStepsMs = [1, 3, 10, 30, 100, 300, 1_000] as const;

/** How long one check took, as a bar on a logarithmic scale; a cross where it failed. */
export function latencyBar(ms: number | null): string {
  if (ms === null) return '×';
  const step = latencyStepsMs.findIndex((limit) => ms < limit);
  return blocks[step < 0 ? blocks.length - 1 : step]!;
}
