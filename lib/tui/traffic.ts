/** The traffic of the last minutes: a sparkline for each of its measures, or charts where there is room for them. */
import type { HistoryStep, HistoryView } from '../model/view.ts';
import { bitsPerSecond, shortAmount } from './amounts.ts';
import { axisEnd, bars } from './chart.ts';
import type { Size } from './state.ts';
import { besideLines, emptyLine, type Line, span, spreadLine, type Tone } from './text.ts';

interface Measure {
  readonly title: string;
  readonly tone: Tone;
  of(step: HistoryStep): number | null;
  format(value: number): string;
}

const perSecond = (value: number): string => `${shortAmount(value)}/s`;

/** Those that belong together: one chart stands above the other. */
const pairs: readonly (readonly [upper: Measure, lower: Measure])[] = [
  [
    { title: 'packets in', tone: 'inbound', of: ({ packetsIn }) => packetsIn, format: perSecond },
    { title: 'packets out', tone: 'outbound', of: ({ packetsOut }) => packetsOut, format: perSecond },
  ],
  [
    { title: 'bits in', tone: 'inbound', of: ({ bytesIn }) => bytesIn * 8, format: bitsPerSecond },
    { title: 'bits out', tone: 'outbound', of: ({ bytesOut }) => bytesOut * 8, format: bitsPerSecond },
  ],
  [
    { title: 'new flows', tone: 'good', of: ({ connections }) => connections, format: perSecond },
    { title: 'drops', tone: 'bad', of: ({ dropped }) => dropped, format: perSecond },
  ],
];

const labelWidth = 13;
const valueWidth = 11;
const chartGap = 3;

/** All but the pairs of which no service knows anything. */
function knownPairs({ steps }: HistoryView) {
  return pairs.filter(([{ of }]) => steps.length === 0 || steps.some((step) => of(step) !== null));
}

/** A line for each measure: what it is, what it was in the last second, and before. */
export function sparklines(history: HistoryView, { columns }: Size): Line[] {
  const width = Math.max(1, columns - labelWidth - valueWidth - 3);
  return knownPairs(history)
    .flat()
    .map((measure) => {
      const values = history.steps.map(measure.of);
      return [
        span(` ${measure.title.padEnd(labelWidth)}`, 'muted'),
        span(latest(values, measure).padStart(valueWidth), 'strong'),
        span('  '),
        ...bars(values, width, 1, measure.tone)[0]!,
      ];
    });
}

/** The same as charts of `height` lines each, side by side. */
export function charts(history: HistoryView, columns: number, height: number): Line[] {
  const known = knownPairs(history);
  const width = Math.floor((columns - 2 - chartGap * (known.length - 1)) / known.length);
  return known
    .map(([upper, lower]) => [
      ...chart(upper, history, width, height),
      emptyLine,
      ...chart(lower, history, width, height),
    ])
    .reduce((left, right, index) => besideLines(left, index * (width + chartGap) - chartGap, chartGap, right))
    .map((line) => [span(' '), ...line]);
}

function chart(measure: Measure, { steps }: HistoryView, width: number, height: number): Line[] {
  const values = steps.map(measure.of);
  const end = axisEnd(values.slice(-width));
  return [
    spreadLine(
      [span(`${measure.title} `, 'muted'), span(latest(values, measure), 'strong')],
      [span(`${measure.format(end)} ┐`, 'muted')],
      width,
    ),
    ...bars(values, width, height, measure.tone),
  ];
}

function latest(values: readonly (number | null)[], { format }: Measure): string {
  const value = values.at(-1) ?? null;
  return value === null ? '–' : format(value);
}
