/** The table of backends: how they are, what they carry, and how fast they answer their checks. */
import { stateAgeMs } from '../model/backend-age.ts';
import type { BackendState, BackendView } from '../model/view.ts';
import { shortAge, shortAmount, shortBits, shortLatency } from './amounts.ts';
import { latencyBar } from './chart.ts';
import { backendRates, type Rates } from './rates.ts';
import { backendRows } from './rows.ts';
import { columnsInSight } from './sight.ts';
import type { DashboardState } from './state.ts';
import { type Column, layTable, type TableView } from './table.ts';
import { type Line, span, type Tone } from './text.ts';

interface Row {
  readonly backend: BackendView;
  readonly rates: Rates;
  /** How many of the last checks there is room for. */
  readonly checks: number;
}

/** An IPv4 address and port at their longest. */
const leastAddress = 21;

const columns: readonly Column<Row>[] = [
  {
    id: 'backend',
    title: 'BACKEND',
    rank: 0,
    least: leastAddress,
    cell: ({ backend }) => span(backend.name),
  },
  {
    id: 'address',
    title: 'ADDRESS',
    rank: 9,
    least: leastAddress,
    cell: ({ backend: { name, address } }) => span(name === address ? '' : address, 'muted'),
  },
  { id: 'service', title: 'SERVICE', rank: 3, least: 6, cell: ({ backend }) => span(backend.service) },
  {
    id: 'state',
    title: 'STATE',
    rank: 0,
    cell: ({ backend }) => span(backend.state, stateTone(backend.state)),
  },
  {
    id: 'since',
    title: 'SINCE',
    rank: 7,
    right: true,
    steady: 5,
    cell: ({ backend }) => span(shortAge(stateAgeMs(backend))),
  },
  {
    id: 'weight',
    title: 'WEIGHT',
    rank: 3,
    right: true,
    cell: ({ backend }) => span(String(backend.weight)),
  },
  {
    id: 'flows',
    title: 'FLOWS',
    rank: 1,
    right: true,
    steady: 5,
    cell: ({ backend }) => span(shortAmount(backend.flows)),
  },
  {
    id: 'new',
    title: 'NEW/s',
    rank: 6,
    right: true,
    steady: 5,
    cell: ({ rates }) => span(shortAmount(rates.opened)),
  },
  {
    id: 'rate-in',
    title: 'IN bit/s',
    rank: 5,
    right: true,
    cell: ({ rates }) => rate(rates.inbound, 'inbound'),
  },
  {
    id: 'rate-out',
    title: 'OUT bit/s',
    rank: 4,
    right: true,
    cell: ({ rates }) => rate(rates.outbound, 'outbound'),
  },
  { id: 'checks', title: 'CHECKS', rank: 2, cell: ({ backend, checks }) => checkBars(backend, checks) },
  {
    id: 'latency',
    title: 'LATENCY',
    rank: 2,
    right: true,
    steady: 5,
    cell: ({ backend }) => span(shortLatency(backend.health.latencyMs)),
  },
  {
    id: 'failed',
    title: 'FAILED',
    rank: 8,
    right: true,
    steady: 5,
    cell: ({ backend: { failures } }) => span(shortAmount(failures), failures > 0 ? 'warn' : 'muted'),
  },
  {
    id: 'last',
    title: 'LAST CHECK',
    rank: 8,
    least: 10,
    cell: ({ backend: { health } }) => span(health.last, health.last === 'ok' ? 'muted' : 'plain'),
  },
];

/** All backends that fit the filter, in so many columns; the column that they are sorted by is marked where it matters. */
export function backendTable(state: DashboardState, width: number): TableView {
  const { column, isReversed } = state.backendSort;
  const checks = width < 90 ? 6 : width < 120 ? 10 : 20;
  const rows = backendRows(state).map((backend) => ({
    backend,
    rates: backendRates(backend, state.sample!, state.before),
    checks,
  }));
  const shown = columnsInSight(columns, state.sample);
  return layTable(shown, rows, width, state.view === 'backends' ? { column, isReversed } : undefined);
}

/** Green is well, red is not, yellow is as somebody wished. */
export function stateTone(state: BackendState): Tone {
  if (state === 'up') return 'good';
  return state === 'down' ? 'bad' : 'warn';
}

/** How long the last checks took, oldest first; a cross where one failed. */
export function checkBars({ health: { checks } }: BackendView, count: number): Line {
  return checks.slice(-count).map((ms) => span(latencyBar(ms), ms === null ? 'bad' : 'good'));
}

function rate(bytesPerSecond: number | undefined, tone: Tone) {
  return span(
    shortBits(bytesPerSecond),
    bytesPerSecond === undefined || bytesPerSecond === 0 ? 'muted' : tone,
  );
}
