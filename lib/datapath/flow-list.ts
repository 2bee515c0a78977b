/** Flows as people want to see them, read from the workers' memory while these go on. */
import { Direction } from '../conntrack/flow-key.ts';
import { type FlowRows, tickMs, Word, wordShift } from '../conntrack/flow-rows.ts';
import { bytesOf, packetsOf } from '../conntrack/flow-traffic.ts';
import { FlowState, type FlowStateName, flowStateNames } from '../conntrack/states.ts';
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

/** The flows of a table, `limit` of them at most. `nowMs` is on the tracker's scale. */
export function listFlows(rows: FlowRows, names: Names, limit: number, nowMs: number): FlowEntry[] {
  const flows: FlowEntry[] = [];
  for (let flow = 1; flow < rows.capacity && flows.length < limit; flow++) {
    const state = rows.stateOf(flow);
    if (state === FlowState.free) continue;
    const vip = names.vip(rows.vipOf(flow));
    const backend = names.endpoint(rows.endpointOf(flow));
    // The row was given back while it was read.
    if (vip === undefined || backend === undefined) continue;
    const client = formatAddress(rows.words, (flow << wordShift) + Word.client);
    flows.push({
      protocol: vip.protocol,
      client: formatHostPort(client, rows.clientPortOf(flow)),
      vip: formatHostPort(vip.address, vip.port),
      backend,
      state: flowStateNames[state]!,
      ageMs: Math.max(0, Math.round(nowMs - rows.created[flow]! * tickMs)),
      idleMs: Math.max(0, Math.round(nowMs - rows.lastSeenOf(flow) * tickMs)),
      packetsIn: packetsOf(rows, flow, Direction.original),
      packetsOut: packetsOf(rows, flow, Direction.answer),
      bytesIn: bytesOf(rows, flow, Direction.original),
      bytesOut: bytesOf(rows, flow, Direction.answer),
    });
  }
  return flows;
}
