/** Flows as people want to see them, read from the workers' memory while these go on. */
import { Direction } from '../conntrack/flow-key.ts';
import { type FlowRows, tickMs, Word, wordShift } from '../conntrack/flow-rows.ts';
import { bytesOf, packetsOf } from '../conntrack/flow-traffic.ts';
import {
  classOfState,
  FlowClass,
  FlowState,
  type FlowStateName,
  flowStateNames,
} from '../conntrack/states.ts';
import { formatHostPort } from '../model/address.ts';
import type { Protocol } from '../model/spec.ts';
import { formatAddress } from '../packet/address.ts';
import type { Endpoint } from './kernel/description.ts';

/** `In` is from the client, `Out` to it. */
export interface FlowEntry {
  readonly protocol: Protocol;
  /** `198.51.100.7:40000`, `[2001:db8::7]:40000`; so are the others. */
  readonly client: string;
  readonly vip: string;
  readonly backend: string;
  readonly state: FlowStateName;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What numbers in the rows mean; undefined for one that is no more. */
export interface Names {
  vip(number: number): Endpoint | undefined;
  /** As it is shown. */
  endpoint(number: number): string | undefined;
}

/** Numbers of VIPs and endpoints take 16 bits. */
const mostNumbers = 2 ** 16;

/** The flows of a table, `limit` of them at most. `nowMs` is on the tracker's scale. */
export function listFlows(rows: FlowRows, names: Names, limit: number, nowMs: number): FlowEntry[] {
  const flows: FlowEntry[] = [];
  for (let flow = 1; flow < rows.capacity && flows.length < limit; flow++) {
    if (rows.stateOf(flow) === FlowState.free) continue;
    const entry = entryOf(rows, flow, names, nowMs);
    if (entry !== undefined) flows.push(entry);
  }
  return flows;
}

/** Flows from the same VIP to the same backend that are not over. */
export interface FlowGroup {
  readonly vip: Endpoint;
  /** As it is shown. */
  readonly backend: string;
  readonly flows: number;
  readonly examples: readonly FlowEntry[];
}

/** The flows of all tables by where they go, with up to `examples` of each. Looks at every row. */
export function groupFlows(
  tables: readonly FlowRows[],
  names: Names,
  examples: number,
  nowMs: number,
): FlowGroup[] {
  const groups = new Map<number, { flows: number; readonly examples: FlowEntry[] }>();
  for (const rows of tables) {
    for (let flow = 1; flow < rows.capacity; flow++) {
      const state = rows.stateOf(flow);
      if (state === FlowState.free || classOfState[state] === FlowClass.closing) continue;
      const key = rows.vipOf(flow) * mostNumbers + rows.endpointOf(flow);
      let group = groups.get(key);
      if (group === undefined) {
        group = { flows: 0, examples: [] };
        groups.set(key, group);
      }
      group.flows++;
      const example = group.examples.length < examples && entryOf(rows, flow, names, nowMs);
      if (example) group.examples.push(example);
    }
  }
  return [...groups].flatMap(([key, group]) => {
    const vip = names.vip(Math.floor(key / mostNumbers));
    const backend = names.endpoint(key % mostNumbers);
    return vip === undefined || backend === undefined ? [] : [{ vip, backend, ...group }];
  });
}

/** Undefined if the row was given back while it was read. */
function entryOf(rows: FlowRows, flow: number, names: Names, nowMs: number): FlowEntry | undefined {
  const vip = names.vip(rows.vipOf(flow));
  const backend = names.endpoint(rows.endpointOf(flow));
  if (vip === undefined || backend === undefined) return undefined;
  const client = formatAddress(rows.words, (flow << wordShift) + Word.client);
  return {
    protocol: vip.protocol,
    client: formatHostPort(client, rows.clientPortOf(flow)),
    vip: formatHostPort(vip.address, vip.port),
    backend,
    state: flowStateNames[rows.stateOf(flow)]!,
    ageMs: Math.max(0, Math.round(nowMs - rows.created[flow]! * tickMs)),
    idleMs: Math.max(0, Math.round(nowMs - rows.lastSeenOf(flow) * tickMs)),
    packetsIn: packetsOf(rows, flow, Direction.original),
    packetsOut: packetsOf(rows, flow, Direction.answer),
    bytesIn: bytesOf(rows, flow, Direction.original),
    bytesOut: bytesOf(rows, flow, Direction.answer),
  };
}
