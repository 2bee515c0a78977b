/** What the workers have counted, added up over all of them, straight from their memory. */
import { Direction } from '../conntrack/flow-key.ts';
import { Byte, byteShift, FlowRows } from '../conntrack/flow-rows.ts';
import { classOfState, FlowClass, FlowState } from '../conntrack/states.ts';
import { Traffic as Column, Counters } from '../forward/counters.ts';
import { isLoss, reasonNames } from '../forward/reasons.ts';
import type { Traffic } from '../model/traffic.ts';
import { FlowMeter } from './flow-meter.ts';
import type { Usage } from './mode.ts';
import { type ShardMemory, Vital } from './shard-memory.ts';

type Kind = 'vip' | 'endpoint';

export class Readings {
  readonly shards: readonly {
    readonly rows: FlowRows;
    readonly meter: FlowMeter;
    readonly counters: Counters;
    readonly memory: ShardMemory;
  }[];

  constructor(memories: readonly ShardMemory[]) {
    this.shards = memories.map((memory) => {
      const rows = new FlowRows(memory.flows, memory.shape);
      const counters = new Counters(memory.counters, memory.shape);
      return { memory, rows, meter: new FlowMeter(rows), counters };
    });
  }

  /** The oldest generation of tables that any worker decides by. */
  takenGeneration(): number {
    return Math.min(...this.shards.map(({ memory }) => Atomics.load(memory.vitals, Vital.taken)));
  }

  /** What numbers are in use for, now and after. */
  usage(): Usage {
    return {
      takenGeneration: this.takenGeneration(),
      vipInUse: (number) => this.flows('vip', number) > 0,
      endpointInUse: (number) => this.flows('endpoint', number) > 0,
      snatInUse: (number) => this.usesSnat(number),
    };
  }

  flows(kind: Kind, number: number): number {
    return this.#sum(({ rows }) => (kind === 'vip' ? rows.flowsOfVip : rows.flowsOfEndpoint)[number]!);
  }

  /** Flows now, over all VIPs. */
  flowCount(): number {
    return this.#sum(({ rows }) => rows.flowsOfVip.reduce((sum, flows) => sum + flows, 0));
  }

  /** Flows of which one side only has been seen, by number of their VIP. Looks at every row. */
  halfOpenFlows(): Uint32Array {
    const ofVip = new Uint32Array(this.shards[0]!.rows.flowsOfVip.length);
    for (const { rows } of this.shards) {
      for (let flow = 1; flow < rows.capacity; flow++) {
        if (classOfState[rows.stateOf(flow)] === FlowClass.halfOpen) ofVip[rows.vipOf(flow)]!++;
      }
    }
    return ofVip;
  }

  /** Whether any flow leaves from this SNAT address. Looks at every row. */
  usesSnat(number: number): boolean {
    return this.shards.some(({ rows }) => {
      for (let flow = 1; flow < rows.capacity; flow++) {
        const state = rows.bytes[(flow << byteShift) + Byte.state];
        if (state !== FlowState.free && rows.snatOf(flow) === number) return true;
      }
      return false;
    });
  }

  traffic(kind: Kind, number: number): Traffic {
    const column = (position: number): number =>
      this.#sum(({ counters }) => counters.traffic(kind, number, position));
    return {
      flows: this.flows(kind, number),
      opened: column(Column.opened),
      packetsIn: column(Column.packets + Direction.original),
      packetsOut: column(Column.packets + Direction.answer),
      bytesIn: column(Column.bytes + Direction.original),
      bytesOut: column(Column.bytes + Direction.answer),
    };
  }

  /** Packets to a VIP that were dropped or refused, by reason, those that never happened left out; VIP 0 is nobody's. */
  drops(vip: number): Readonly<Record<string, number>> {
    const drops: Record<string, number> = {};
    reasonNames.forEach((name, reason) => {
      if (!isLoss(reason)) return;
      const count = this.#sum(({ counters }) => counters.reason(vip, reason));
      if (count > 0) drops[name] = count;
    });
    return drops;
  }

  /** Begins anew for a number that was given to another; no worker counts there any more, and none does yet. */
  clear(kind: Kind, numbers: readonly number[]): void {
    for (const number of numbers) {
      for (const { counters } of this.shards) counters.clear(kind, number);
    }
  }

  #sum(of: (shard: Readings['shards'][number]) => number): number {
    return this.shards.reduce((sum, shard) => sum + of(shard), 0);
  }
}
