/** The table of services: where they listen, who is up, and what they carry. */
import type { ServiceView } from '../model/view.ts';
import { shortAmount, shortBits } from './amounts.ts';
import { type Rates, serviceRates } from './rates.ts';
import { columnsInSight } from './sight.ts';
import type { Sample } from './state.ts';
import { type Column, layTable, type TableView } from './table.ts';
import { span, type Tone } from './text.ts';

interface Row {
  readonly service: ServiceView;
  readonly rates: Rates;
}

const columns: readonly Column<Row>[] = [
  {
    id: 'service',
    title: 'SERVICE',
    rank: 0,
    least: 10,
    cell: ({ service }) => span(service.name, 'strong'),
  },
  { id: 'mode', title: 'MODE', rank: 5, cell: ({ service }) => span(service.mode) },
  {
    id: 'listen',
    title: 'LISTEN',
    rank: 3,
    least: 27,
    cell: ({ service }) => span(listensOf(service).join(', ')),
    brief: ({ service }) => span(firstOf(listensOf(service))),
  },
  { id: 'balance', title: 'BALANCE', rank: 7, cell: ({ service }) => span(service.balance, 'muted') },
  {
    id: 'up',
    title: 'UP',
    rank: 0,
    right: true,
    cell: ({ service: { backends, backendsUp } }) =>
      span(`${backendsUp}/${backends}`, upTone(backendsUp, backends)),
  },
  {
    id: 'flows',
    title: 'FLOWS',
    rank: 0,
    right: true,
    steady: 5,
    cell: ({ service }) => span(shortAmount(service.flows)),
  },
  {
    id: 'queued',
    title: 'QUEUED',
    rank: 8,
    right: true,
    steady: 5,
    cell: ({ service: { queued } }) => span(shortAmount(queued), queued > 0 ? 'warn' : 'muted'),
  },
  {
    id: 'new',
    title: 'NEW/s',
    rank: 2,
    right: true,
    steady: 5,
    cell: ({ rates }) => span(shortAmount(rates.opened)),
  },
  {
    id: 'total',
    title: 'TOTAL',
    rank: 6,
    right: true,
    steady: 5,
    cell: ({ service }) => span(shortAmount(service.connections)),
  },
  {
    id: 'rate-in',
    title: 'IN bit/s',
    rank: 1,
    right: true,
    cell: ({ rates }) => span(shortBits(rates.inbound), 'inbound'),
  },
  {
    id: 'rate-out',
    title: 'OUT bit/s',
    rank: 1,
    right: true,
    cell: ({ rates }) => span(shortBits(rates.outbound), 'outbound'),
  },
];

/** All services of a sample, in the order of the configuration. */
export function serviceTable(sample: Sample, before: Sample | undefined, width: number): TableView {
  const rows = sample.status.services.map((service) => ({
    service,
    rates: serviceRates(service, sample, before),
  }));
  return layTable(columnsInSight(columns, sample), rows, width);
}

function listensOf({ listen }: ServiceView): readonly string[] {
  return listen.split(',');
}

/** The first of many, and how many more there are. */
function firstOf([first = '', ...others]: readonly string[]): string {
  return others.length === 0 ? first : `${first} +${others.length}`;
}

/** How worrying it is that so many of the backends are up. */
export function upTone(up: number, of: number): Tone {
  if (up === 0) return 'bad';
  return up < of ? 'warn' : 'good';
}
