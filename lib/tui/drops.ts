/** What was dropped, by reason, the most frequent first. */
import { formatCount } from '../model/units.ts';
import { shortAmount } from './amounts.ts';
import { dropRate, secondsBetween } from './rates.ts';
import type { Sample } from './state.ts';
import { type Column, layTable, type TableView } from './table.ts';
import { span } from './text.ts';

export interface Drop {
  readonly reason: string;
  /** Empty for packets that were for none. */
  readonly service: string;
  readonly total: number;
  readonly perSecond: number | undefined;
}

const columns: readonly Column<Drop>[] = [
  { id: 'reason', title: 'REASON', rank: 0, least: 10, cell: ({ reason }) => span(reason) },
  {
    id: 'service',
    title: 'SERVICE',
    rank: 1,
    least: 8,
    cell: ({ service }) => (service === '' ? span('none', 'muted') : span(service)),
  },
  {
    id: 'rate',
    title: 'NOW/s',
    rank: 0,
    right: true,
    cell: ({ perSecond = 0 }) => span(shortAmount(perSecond), perSecond > 0 ? 'bad' : 'muted'),
  },
  { id: 'total', title: 'TOTAL', rank: 0, right: true, cell: ({ total }) => span(formatCount(total)) },
];

/** Every reason that has ever been met. */
export function dropsOf(sample: Sample, before: Sample | undefined): readonly Drop[] {
  const seconds = secondsBetween(sample, before);
  const drops = (
    service: string,
    now: Readonly<Record<string, number>>,
    earlier: Readonly<Record<string, number>> | undefined,
  ) =>
    Object.entries(now)
      .filter(([, total]) => total > 0)
      .map(([reason, total]) => ({
        reason,
        service,
        total,
        perSecond: seconds > 0 ? dropRate(reason, total, earlier, seconds) : undefined,
      }));
  const ofServices = sample.status.services.flatMap(({ name, dropped }) =>
    drops(name, dropped, before?.status.services.find((service) => service.name === name)?.dropped),
  );
  return [...ofServices, ...drops('', sample.status.dropped, before?.status.dropped)].sort(
    (one, other) => (other.perSecond ?? 0) - (one.perSecond ?? 0) || other.total - one.total,
  );
}

/** The table of them; empty if nothing was dropped. */
export function dropTable(drops: readonly Drop[], width: number): TableView {
  return layTable(columns, drops, width);
}
