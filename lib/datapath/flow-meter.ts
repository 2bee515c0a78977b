/**
 * How fast the flows of one table are, worked out from what they have carried since somebody last looked. The columns
 * are made at the first look: who never asks pays nothing.
 */
import { Direction } from '../conntrack/flow-key.ts';
import { type FlowRows, tickMs } from '../conntrack/flow-rows.ts';
import { bytesOf } from '../conntrack/flow-traffic.ts';
import { FlowState } from '../conntrack/states.ts';

/** A look at every flow comes this long after the one before at the earliest. */
const betweenLooksMs = 400;

const none = new Float64Array(0);

export class FlowMeter {
  /** Bytes a second, by row. */
  inPerSecond: Float64Array = none;
  outPerSecond: Float64Array = none;
  readonly #rows: FlowRows;
  /** What each row had carried at the last look. */
  #meteredIn: Float64Array = none;
  #meteredOut: Float64Array = none;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(rows: FlowRows) {
    this.#rows = rows;
  }

  /** Brings the speeds up to date, unless they are. The first look sees what a flow has done in all its life. */
  look(nowMs: number): void {
    const elapsedMs = nowMs - this.#lookedMs;
    if (elapsedMs < betweenLooksMs) return;
    const rows = this.#rows;
    if (this.#meteredIn.length === 0) this.#makeColumns(rows.capacity);
    for (let flow = 1; flow < rows.capacity; flow++) {
      if (rows.stateOf(flow) === FlowState.free) continue;
      const createdMs = rows.created[flow]! * tickMs;
      // The row was another flow's at the last look.
      if (createdMs > this.#lookedMs) this.#meteredIn[flow] = this.#meteredOut[flow] = 0;
      const seconds = Math.max(betweenLooksMs, Math.min(elapsedMs, nowMs - createdMs)) / 1_000;
      const bytesIn = bytesOf(rows, flow, Direction.original);
      const bytesOut = bytesOf(rows, flow, Direction.answer);
      this.inPerSecond[flow] = Math.max(0, bytesIn - this.#meteredIn[flow]!) / seconds;
      this.outPerSecond[flow] = Math.max(0, bytesOut - this.#meteredOut[flow]!) / seconds;
      this.#meteredIn[flow] = bytesIn;
      this.#meteredOut[flow] = bytesOut;
    }
    this.#lookedMs = nowMs;
  }

  #makeColumns(capacity: number): void {
    this.inPerSecond = new Float64Array(capacity);
    this.outPerSecond = new Float64Array(capacity);
    this.#meteredIn = new Float64Array(capacity);
    this.#meteredOut = new Float64Array(capacity);
  }
}
