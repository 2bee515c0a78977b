/** The table of flows: who talks to whom, for how long, and how fast. */
import type { FlowState, FlowView } from '../model/view.ts';
import { shortAge, shortAmount, shortBits } from './amounts.ts';
import { flowRows, flowSort } from './rows.ts';
import { columnsInSight } from './sight.ts';
import type { DashboardState } from './state.ts';
import { type Column, layTable, type TableView } from './table.ts';
import { span, type Tone } from './text.ts';

/** An IPv4 address and port at their longest. */
const leastAddress = 21;

/** Ranks: what a flow is stays to the last, how much it has carried goes first. */
const columns: readonly Column<FlowView>[] = [
  { id: 'protocol', title: '', rank: 6, cell: ({ protocol }) => span(protocol, 'muted') },
  { id: 'client', title: 'CLIENT', rank: 0, least: leastAddress, cell: ({ client }) => span(client) },
  { id: 'vip', title: 'VIP', rank: 5, least: leastAddress, cell: ({ vip }) => span(vip) },
  {
    id: 'backend',
    title: 'BACKEND',
    rank: 0,
    least: leastAddress,
    cell: ({ backend }) => span(backend ?? '–', backend === null ? 'muted' : 'plain'),
  },
  { id: 'service', title: 'SERVICE', rank: 7, cell: ({ service }) => span(service, 'muted') },
  { id: 'state', title: 'STATE', rank: 1, cell: ({ state }) => span(state, stateTone(state)) },
  { id: 'age', title: 'AGE', rank: 3, right: true, steady: 5, cell: ({ ageMs }) => span(shortAge(ageMs)) },
  {
    id: 'idle',
    title: 'IDLE',
    rank: 4,
    right: true,
    steady: 5,
    cell: ({ idleMs }) => span(shortAge(idleMs)),
  },
  {
    id: 'packets-in',
    title: 'PKT IN',
    rank: 10,
    right: true,
    steady: 5,
    cell: ({ packetsIn }) => span(shortAmount(packetsIn)),
  },
  {
    id: 'packets-out',
    title: 'PKT OUT',
    rank: 10,
    right: true,
    steady: 5,
    cell: ({ packetsOut }) => span(shortAmount(packetsOut)),
  },
  {
    id: 'bytes-in',
    title: 'BYTES IN',
    rank: 9,
    right: true,
    cell: ({ bytesIn }) => span(shortAmount(bytesIn)),
  },
  {
    id: 'bytes-out',
    title: 'BYTES OUT',
    rank: 9,
    right: true,
    cell: ({ bytesOut }) => span(shortAmount(bytesOut)),
  },
  {
    id: 'rate-in',
    title: 'IN bit/s',
    rank: 0,
    right: true,
    cell: ({ bytesInPerSecond }) => span(shortBits(bytesInPerSecond), rateTone(bytesInPerSecond, 'inbound')),
  },
  {
    id: 'rate-out',
    title: 'OUT bit/s',
    rank: 0,
    right: true,
    cell: ({ bytesOutPerSecond }) =>
      span(shortBits(bytesOutPerSecond), rateTone(bytesOutPerSecond, 'outbound')),
  },
];

/** All rows that the instance has sent, in so many columns. */
export function flowTable(state: DashboardState, width: number): TableView {
  const { column, isReversed } = flowSort(state);
  const shown = columnsInSight(columns, state.sample);
  return layTable(shown, flowRows(state), width, { column, isReversed });
}

function stateTone(state: FlowState): Tone {
  if (state === 'established') return 'plain';
  return state === 'queued' ? 'warn' : 'muted';
}

/** What stands still steps back. */
function rateTone(rate: number | null | undefined, tone: Tone): Tone {
  return rate === null || rate === undefined || rate === 0 ? 'muted' : tone;
}
