/** What the demonstration says where there is no dashboard, a line a second, and its summary at the end. */
import { formatDuration } from '../../model/duration.ts';
import { formatBytes, formatCount, formatShare, plural } from '../../model/units.ts';
import type { BackendView } from '../../model/view.ts';
import type { Style } from '../style.ts';
import { type Column, renderTable } from '../table.ts';
import type { Tally } from './tally.ts';

/** The state of the demonstration at one moment. */
export interface Moment {
  readonly elapsedMs: number;
  /** Over the last second. */
  readonly requestsPerSecond: number;
  readonly tally: Tally;
  readonly backends: readonly BackendView[];
}

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
    { title: 'OUT', cell: ({ bytesOut }) => formatBytes(bytesOut ?? 0), right: true },
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
