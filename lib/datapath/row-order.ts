/**
 * In which order rows come, over the tables of all workers: a row of one of them is a single number here, so that a
 * hundred thousand can be compared without an object for each.
 *
 *     item   │ shard │ row, 24 bits │
 */
import { Direction } from '../conntrack/flow-key.ts';
import { type FlowRows, Word, wordShift } from '../conntrack/flow-rows.ts';
import { bytesOf, packetsOf } from '../conntrack/flow-traffic.ts';
import { flowStateNames } from '../conntrack/states.ts';
import { formatHostPort } from '../model/address.ts';
import type { FlowQuery, FlowSort } from '../model/flow-query.ts';
import { endpointKey } from '../model/shown-endpoint.ts';
import type { Order } from '../model/top.ts';
import type { FlowMeter } from './flow-meter.ts';
import type { FlowNames } from './flow-names.ts';
import { viewState } from './flow-state.ts';

/** A worker's table and the speeds of its flows. */
export interface MeteredRows {
  readonly rows: FlowRows;
  readonly meter: FlowMeter;
}

/** What decides where a row stands: the smaller, the earlier. */
type Key = (shard: MeteredRows, row: number) => number;

const rowBits = 24;
const rowMask = 2 ** rowBits - 1;

/** A row of the table of worker `shard`, which there are 256 of at most, as one number. */
export function itemOf(shard: number, row: number): number {
  return ((shard << rowBits) | row) >>> 0;
}

/** The worker of an item. */
export function shardOf(item: number): number {
  return item >>> rowBits;
}

/** The row of an item. */
export function rowOf(item: number): number {
  return item & rowMask;
}

/** The order that a query asks for; of two alike the older comes first. */
export function orderOfRows(
  { sort = 'age', reverse = false }: FlowQuery,
  shards: readonly MeteredRows[],
  names: FlowNames,
): Order<number> {
  const compare = sort === 'client' ? compareClients : byKey(keyOf(sort, names));
  return (one, other) => {
    const [left, right] = [shards[shardOf(one)]!, shards[shardOf(other)]!];
    const [leftRow, rightRow] = [rowOf(one), rowOf(other)];
    const difference = compare(left, leftRow, right, rightRow);
    if (difference !== 0) return reverse ? -difference : difference;
    return left.rows.created[leftRow]! - right.rows.created[rightRow]! || one - other;
  };
}

type Compare = (left: MeteredRows, leftRow: number, right: MeteredRows, rightRow: number) => number;

function byKey(key: Key): Compare {
  return (left, leftRow, right, rightRow) => key(left, leftRow) - key(right, rightRow);
}

function keyOf(sort: Exclude<FlowSort, 'client'>, { vips, endpoints }: FlowNames): Key {
  switch (sort) {
    case 'age':
      return ({ rows }, row) => rows.created[row]!;
    case 'idle':
      return ({ rows }, row) => rows.lastSeenOf(row);
    case 'vip': {
      const ranks = ranksOf(vips, ({ address, port }) => endpointKey(formatHostPort(address, port)));
      return ({ rows }, row) => ranks[rows.vipOf(row)] ?? 0;
    }
    case 'backend': {
      const ranks = ranksOf(endpoints, ({ text }) => endpointKey(text));
      return ({ rows }, row) => ranks[rows.endpointOf(row)] ?? 0;
    }
    case 'state': {
      const ranks = ranksOf(new Map(flowStateNames.entries()), viewState);
      return ({ rows }, row) => ranks[rows.stateOf(row)]!;
    }
    case 'packets-in':
      return ({ rows }, row) => -packetsOf(rows, row, Direction.original);
    case 'packets-out':
      return ({ rows }, row) => -packetsOf(rows, row, Direction.answer);
    case 'bytes-in':
      return ({ rows }, row) => -bytesOf(rows, row, Direction.original);
    case 'bytes-out':
      return ({ rows }, row) => -bytesOf(rows, row, Direction.answer);
    case 'rate-in':
      return ({ meter }, row) => -meter.inPerSecond[row]!;
    case 'rate-out':
      return ({ meter }, row) => -meter.outPerSecond[row]!;
  }
}

/** By number, the place of each name among all of them; names that are alike have one place. */
function ranksOf<Name>(names: ReadonlyMap<number, Name>, textOf: (name: Name) => string): Uint32Array {
  const texts = new Map([...names].map(([number, name]) => [number, textOf(name)]));
  const sorted = [...new Set(texts.values())].sort();
  const ranks = new Uint32Array(Math.max(0, ...names.keys()) + 1);
  for (const [number, text] of texts) ranks[number] = sorted.indexOf(text);
  return ranks;
}

/** By the words of the address, then by port. */
function compareClients(left: MeteredRows, leftRow: number, right: MeteredRows, rightRow: number): number {
  const leftAt = (leftRow << wordShift) + Word.client;
  const rightAt = (rightRow << wordShift) + Word.client;
  for (let word = 0; word < 4; word++) {
    const one = left.rows.words[leftAt + word]! >>> 0;
    const other = right.rows.words[rightAt + word]! >>> 0;
    if (one !== other) return one - other;
  }
  return left.rows.clientPortOf(leftRow) - right.rows.clientPortOf(rightRow);
}
