/** The traffic of the last minutes: a sparkline for each of its measures, or charts where there is room for them. */
import type { HistoryStep, HistoryView } from '../model/view.ts';
import { bitsPerSecond, shortAmount } from './amounts.ts';
import { axisEnd, bars } from './chart.ts';
import { seesAnswers } from './sight.ts';
import type { Sample, Size } from './state.ts';
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

/** All but the pairs of which no service knows anything, and what is out of sight. */
function knownMeasures({ status, history: { steps } }: Sample): readonly Measure[] {
  const known = pairs.filter(([{ of }]) => steps.length === 0 || steps.some((step) => of(step) !== null));
  return known.flat().filter(({ tone }) => tone !== 'outbound' || seesAnswers(status.services));
}

/** A line for each measure: what it is, what it was in the last second, and before. */
export function sparklines(sample: Sample, { columns }: Size): Line[] {
  const width = Math.max(1, columns - labelWidth - valueWidth - 3);
  return knownMeasures(sample).map((measure) => {
    const values = sample.history.steps.map(measure.of);
    return [
      span(` ${measure.title.padEnd(labelWidth)}`, 'muted'),
      span(latest(values, measure).padStart(valueWidth), 'strong'),
      span('  '),
      ...bars(values, width, 1, measure.tone)[0]!,
    ];
  });
}

/** The same as charts of `height` lines each, two above each other, side by side. */
export function charts(sample: Sample, columns: number, height: number): Line[] {
  const known = knownMeasures(sample);
  const stacks = Math.ceil(known.length / 2);
  const width = Math.floor((columns - 2 - chartGap * (stacks - 1)) / stacks);
  return Array.from({ length: stacks }, (_, stack) =>
    known
      .slice(2 * stack, 2 * stack + 2)
      .flatMap((measure, index) => [
        ...(index === 0 ? [] : [emptyLine]),
        ...chart(measure, sample.history, width, height),
      ]),
  )
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
