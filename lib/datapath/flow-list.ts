/**
 * Flows as people want to see them, found in the workers' memory while these go on. Every row is looked at where it
 * lies; only those that are shown become objects.
 */
import { Direction } from '../conntrack/flow-key.ts';
import { tickMs, Word, wordShift } from '../conntrack/flow-rows.ts';
import { bytesOf, packetsOf } from '../conntrack/flow-traffic.ts';
import { type FlowStateName, flowStateNames, FlowState as TrackedState } from '../conntrack/states.ts';
import { formatHostPort } from '../model/address.ts';
import { type FlowQuery, needsRates } from '../model/flow-query.ts';
import type { Protocol } from '../model/spec.ts';
import { Top } from '../model/top.ts';
import type { FlowState } from '../model/view.ts';
import { formatAddress } from '../packet/address.ts';
import type { FlowNames } from './flow-names.ts';
import { viewState } from './flow-state.ts';
import { RowFilter } from './row-filter.ts';
import { itemOf, type MeteredRows, orderOfRows, rowOf, shardOf } from './row-order.ts';

/** `In` is from the client, `Out` to it. */
export interface FlowEntry {
  readonly protocol: Protocol;
  readonly service: string;
  /** `198.51.100.7:40000`, `[2001:db8::7]:40000`; so are the others. */
  readonly client: string;
  readonly vip: string;
  readonly backend: string;
  readonly state: FlowState;
  readonly trackedState: FlowStateName;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Where it was asked for. */
  readonly bytesInPerSecond?: number;
  readonly bytesOutPerSecond?: number;
}

export interface FoundFlows {
  readonly flows: readonly FlowEntry[];
  /** All that fit, beyond those shown. */
  readonly matching: number;
}

/** What `query` asks for among the flows of all tables. `nowMs` is on the trackers' scale. */
export function findFlows(
  shards: readonly MeteredRows[],
  query: FlowQuery,
  names: FlowNames,
  nowMs: number,
): FoundFlows {
  const rates = needsRates(query);
  const filter = query.filter === undefined ? undefined : new RowFilter(query.filter, names);
  const top = new Top(query.limit, orderOfRows(query, shards, names));
  let matching = 0;
  shards.forEach(({ rows, meter }, shard) => {
    if (rates) meter.look(nowMs);
    for (let row = 1; row < rows.capacity; row++) {
      if (rows.stateOf(row) === TrackedState.free || filter?.fits(rows, row) === false) continue;
      matching++;
      top.offer(itemOf(shard, row));
    }
  });
  const flows = top.sorted().flatMap((item) => {
    const flow = describeRow(shards[shardOf(item)]!, rowOf(item), names, nowMs, rates);
    return flow === undefined ? [] : [flow];
  });
  return { flows, matching };
}

/** A row as people read it, with its speed if that is known; undefined if it was given back while it was read. */
export function describeRow(
  { rows, meter }: MeteredRows,
  row: number,
  names: FlowNames,
  nowMs: number,
  rates = false,
): FlowEntry | undefined {
  const state = rows.stateOf(row);
  const vip = names.vips.get(rows.vipOf(row));
  const endpoint = names.endpoints.get(rows.endpointOf(row));
  if (state === TrackedState.free || vip === undefined || endpoint === undefined) return undefined;
  const client = formatAddress(rows.words, (row << wordShift) + Word.client);
  return {
    protocol: vip.protocol,
    service: vip.service,
    client: formatHostPort(client, rows.clientPortOf(row)),
    vip: formatHostPort(vip.address, vip.port),
    backend: endpoint.text,
    state: viewState(flowStateNames[state]!),
    trackedState: flowStateNames[state]!,
    ageMs: Math.max(0, Math.round(nowMs - rows.created[row]! * tickMs)),
    idleMs: Math.max(0, Math.round(nowMs - rows.lastSeenOf(row) * tickMs)),
    packetsIn: packetsOf(rows, row, Direction.original),
    packetsOut: packetsOf(rows, row, Direction.answer),
    bytesIn: bytesOf(rows, row, Direction.original),
    bytesOut: bytesOf(rows, row, Direction.answer),
    ...(rates && {
      bytesInPerSecond: Math.round(meter.inPerSecond[row]!),
      bytesOutPerSecond: Math.round(meter.outPerSecond[row]!),
    }),
  };
}
