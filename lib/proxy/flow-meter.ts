/**
 * How fast flows are: what each has carried since somebody last looked. Whoever never looks pays nothing but the fields.
 */

/** A flow that can be metered: what it has carried, and what the meter notes in it. */
export class MeteredFlow {
  bytesIn = 0;
  bytesOut = 0;
  /** At the last look. */
  meteredIn = 0;
  meteredOut = 0;
  bytesInPerSecond = 0;
  bytesOutPerSecond = 0;
}

/** A look at every flow comes this long after the one before at the earliest. */
const betweenLooksMs = 400;

/** Of the flows of one service. */
export class FlowMeter {
  #lookedMs = Number.NEGATIVE_INFINITY;

  /** Brings the speeds up to date, unless they are. The first look sees what a flow has done in all its life. */
  look(flows: Iterable<MeteredFlow & { readonly startedMs: number }>, nowMs: number): void {
    const elapsedMs = nowMs - this.#lookedMs;
    if (elapsedMs < betweenLooksMs) return;
    this.#lookedMs = nowMs;
    for (const flow of flows) {
      // A flow that has begun just now counts as if it had taken the whole time between two looks.
      const seconds = Math.max(betweenLooksMs, Math.min(elapsedMs, nowMs - flow.startedMs)) / 1_000;
      flow.bytesInPerSecond = (flow.bytesIn - flow.meteredIn) / seconds;
      flow.bytesOutPerSecond = (flow.bytesOut - flow.meteredOut) / seconds;
      flow.meteredIn = flow.bytesIn;
      flow.meteredOut = flow.bytesOut;
    }
  }
}
