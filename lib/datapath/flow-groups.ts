/** Flows by where they go, counted straight from the workers' memory. */
import { classOfState, FlowClass, FlowState } from '../conntrack/states.ts';
import { describeRow, type FlowEntry } from './flow-list.ts';
import type { FlowNames, VipName } from './flow-names.ts';
import type { MeteredRows } from './row-order.ts';

/** Flows from the same VIP to the same backend that are not over. */
export interface FlowGroup {
  readonly vip: VipName;
  /** As it is shown. */
  readonly backend: string;
  readonly flows: number;
  readonly examples: readonly FlowEntry[];
}

/** Numbers of VIPs and endpoints take 16 bits. */
const mostNumbers = 2 ** 16;

/** The flows of all tables by where they go, with up to `examples` of each. Looks at every row. */
export function groupFlows(
  shards: readonly MeteredRows[],
  names: FlowNames,
  examples: number,
  nowMs: number,
): FlowGroup[] {
  const groups = new Map<number, { flows: number; readonly examples: FlowEntry[] }>();
  for (const shard of shards) {
    const { rows } = shard;
    for (let row = 1; row < rows.capacity; row++) {
      const state = rows.stateOf(row);
      if (state === FlowState.free || classOfState[state] === FlowClass.closing) continue;
      const key = rows.vipOf(row) * mostNumbers + rows.endpointOf(row);
      let group = groups.get(key);
      if (group === undefined) {
        group = { flows: 0, examples: [] };
        groups.set(key, group);
      }
      group.flows++;
      const example = group.examples.length < examples && describeRow(shard, row, names, nowMs);
      if (example) group.examples.push(example);
    }
  }
  return [...groups].flatMap(([key, group]) => {
    const vip = names.vips.get(Math.floor(key / mostNumbers));
    const backend = names.endpoints.get(key % mostNumbers)?.text;
    return vip === undefined || backend === undefined ? [] : [{ vip, backend, ...group }];
  });
}
