/** What the demonstration says: a screen on a terminal, a line a second elsewhere, and a summary at the end. */
import { formatDuration } from '../../model/duration.ts';
import { formatBytes, formatCount, formatShare, plural } from '../../model/units.ts';
import type { BackendView } from '../../model/view.ts';
import type { Style } from '../style.ts';
import { type Column, renderTable } from '../table.ts';
import { statePaint } from '../views.ts';
import type { Tally } from './tally.ts';

/** The state of the demonstration at one moment. */
export interface Moment {
  readonly elapsedMs: number;
  /** Over the last second. */
  readonly requestsPerSecond: number;
  readonly tally: Tally;
  readonly backends: readonly BackendView[];
}

const barLength = 24;

/** `12s  200 requests/s  2,412 requests  0 errors  median 0.8ms  34% 33% 33%` */
export function momentLine(moment: Moment): string {
  const { tally, backends } = moment;
  const shares = backends.map(({ name }) => shareOf(name, tally));
  return [`${Math.round(moment.elapsedMs / 1_000)}s`, ...figures(moment), shares.join(' ')].join('  ');
}

/** One JSON object a second, and one at the end. */
export function momentEvent(event: 'traffic' | 'summary', { elapsedMs, tally, backends }: Moment) {
  return {
    event,
    elapsedMs: Math.round(elapsedMs),
    requests: tally.requests,
    errors: tally.errors,
    medianMs: round(tally.medianMs()),
    backends: backends.map(({ name, state }) => ({
      address: name,
      state,
      requests: tally.answers.get(name) ?? 0,
    })),
  };
}

/** The last words: `2,412 requests in 12s, 0 errors, median 0.8ms`, then the backends with their shares. */
export function summaryLines({ elapsedMs, tally, backends }: Moment, style: Style): string[] {
  const { requests, errors } = tally;
  return [
    `${plural(requests, 'request')} in ${formatDuration(elapsedMs)}, ${plural(errors, 'error')}, ${median(tally)}`,
    ...renderTable(columnsFor(tally), backends, style),
  ];
}

/** All lines of the screen; `log` is what was logged last. */
export function screenLines(moment: Moment, listen: string, log: readonly string[], style: Style): string[] {
  const url = listen.replace('tcp:', 'http:');
  const someBackend = moment.backends[0]?.name ?? 'BACKEND';
  return [
    `${style.bold('sluice demo')}  ${plural(moment.backends.length, 'backend')} behind ${style.bold(listen)}  ${style.dim('Ctrl-C ends it')}`,
    '',
    figures(moment).join('   '),
    '',
    ...renderTable(liveColumnsFor(moment.tally), moment.backends, style),
    '',
    ...log,
    '',
    style.dim(
      `In another terminal:  curl ${url}  ·  sluice backends  ·  sluice flows  ·  sluice drain ${someBackend}`,
    ),
  ];
}

function figures({ requestsPerSecond, tally }: Moment): string[] {
  return [
    `${formatCount(requestsPerSecond)} requests/s`,
    plural(tally.requests, 'request'),
    plural(tally.errors, 'error'),
    median(tally),
  ];
}

function columnsFor(tally: Tally): readonly Column<BackendView>[] {
  return [
    { title: 'BACKEND', cell: ({ name }) => name },
    { title: 'REQUESTS', cell: ({ name }) => formatCount(tally.answers.get(name) ?? 0), right: true },
    { title: 'SHARE', cell: ({ name }) => shareOf(name, tally), right: true },
    { title: 'IN', cell: ({ bytesIn }) => formatBytes(bytesIn), right: true },
    { title: 'OUT', cell: ({ bytesOut }) => formatBytes(bytesOut), right: true },
  ];
}

function liveColumnsFor(tally: Tally): readonly Column<BackendView>[] {
  return [
    ...columnsFor(tally),
    { title: 'FLOWS', cell: ({ flows }) => formatCount(flows), right: true },
    { title: 'STATE', cell: ({ state }) => state, paint: ({ state }, style) => statePaint(state, style) },
    {
      title: '',
      cell: ({ name }) => '█'.repeat(Math.round((parseInt(shareOf(name, tally), 10) / 100) * barLength)),
      paint: ({ state }, style) => statePaint(state, style),
    },
  ];
}

function shareOf(name: string, tally: Tally): string {
  return formatShare(tally.answers.get(name) ?? 0, tally.requests - tally.errors);
}

function median(tally: Tally): string {
  return `median ${round(tally.medianMs())}ms`;
}

function round(ms: number): number {
  return Number(ms.toPrecision(2));
}
