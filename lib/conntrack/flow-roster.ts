/**
 * Which rows are in use and in which state; counts and timers follow from that and always agree with it.
 * The free rows are a list through the links that their timers do not need:  first ─▶ row ─▶ row ─▶ 0
 */
import { Byte, byteShift, Count, type FlowRows } from './flow-rows.ts';
import type { FlowTimers } from './flow-timers.ts';
import { classOfState, FlowState } from './states.ts';

export class FlowRoster {
  readonly #rows: FlowRows;
  readonly #timers: FlowTimers;
  #freeRow = 0;

  /** No row is known to be free or in use yet: each has to be entered or given back. */
  constructor(rows: FlowRows, timers: FlowTimers) {
    this.#rows = rows;
    this.#timers = timers;
    rows.counts.fill(0, Count.flowsInClass, Count.flowsInClass + 3);
    rows.flowsOfVip.fill(0);
    rows.flowsOfEndpoint.fill(0);
  }

  get isFull(): boolean {
    return this.#freeRow === 0;
  }

  /** Flows now, in states of this class. */
  count(flowClass: number): number {
    return this.#rows.counts[Count.flowsInClass + flowClass]!;
  }

  /** Takes a free row, to be entered or given back. Not when it is full. */
  take(): number {
    const flow = this.#freeRow;
    this.#freeRow = this.#rows.links.next[flow]!;
    return flow;
  }

  /** Gives back a row that was taken and not entered. */
  giveBack(flow: number): void {
    this.#rows.bytes[(flow << byteShift) + Byte.state] = FlowState.free;
    this.#rows.links.next[flow] = this.#freeRow;
    this.#freeRow = flow;
  }

  /** Puts a complete row among the flows: from here on it counts, and its silence is timed. */
  enter(flow: number, state: number): void {
    const rows = this.#rows;
    rows.bytes[(flow << byteShift) + Byte.state] = state;
    rows.counts[Count.flowsInClass + classOfState[state]!]!++;
    rows.flowsOfVip[rows.vipOf(flow)]!++;
    rows.flowsOfEndpoint[rows.endpointOf(flow)]!++;
    this.#timers.arm(flow);
  }

  /** Brings a flow into another state; the time to its end is counted anew by that. */
  move(flow: number, state: number): void {
    const rows = this.#rows;
    this.#timers.disarm(flow);
    rows.counts[Count.flowsInClass + classOfState[rows.stateOf(flow)]!]!--;
    rows.counts[Count.flowsInClass + classOfState[state]!]!++;
    rows.bytes[(flow << byteShift) + Byte.state] = state;
    this.#timers.arm(flow);
  }

  /** Takes a flow off the list and gives its row back. Its timer must be out of the wheels by then. */
  leave(flow: number): void {
    const rows = this.#rows;
    rows.counts[Count.flowsInClass + classOfState[rows.stateOf(flow)]!]!--;
    rows.flowsOfVip[rows.vipOf(flow)]!--;
    rows.flowsOfEndpoint[rows.endpointOf(flow)]!--;
    this.giveBack(flow);
  }
}
