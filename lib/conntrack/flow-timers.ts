/**
 * When flows end by silence: a timer wheel for each class of states, so that the one which is due soonest of a class
 * is found at once. A packet puts its flow's end off by writing when it was seen, and touches no wheel.
 */
import { type FlowRows, slotsPerWheel, tickMs } from './flow-rows.ts';
import { classOfState, FlowClass, type FlowTimeouts, flowStateNames } from './states.ts';
import { TimerWheel } from './timer-wheel.ts';

/** log2 of the ticks in a period of the wheels: 1.024 s, by which a flow may outlive its timeout. */
const periodShift = 6;

/** What `take` answers when it came upon a flow that is not due yet. */
export const notDue = -1;

export class FlowTimers {
  readonly #rows: FlowRows;
  /** Ticks of silence, by state. */
  readonly #timeouts: Int32Array;
  readonly #wheels: readonly [TimerWheel, TimerWheel, TimerWheel];

  constructor(rows: FlowRows, timeouts: FlowTimeouts, nowTick: number) {
    this.#rows = rows;
    this.#timeouts = Int32Array.from(flowStateNames, (name) =>
      name === 'free' ? 0 : Math.ceil(timeouts[name] / tickMs),
    );
    const wheel = (flowClass: number): TimerWheel => {
      const sentinel = rows.capacity + flowClass * slotsPerWheel;
      return new TimerWheel(rows.links, sentinel, slotsPerWheel, nowTick >>> periodShift);
    };
    this.#wheels = [wheel(FlowClass.halfOpen), wheel(FlowClass.live), wheel(FlowClass.closing)];
  }

  /** Begins to wait for a flow's end, in its present state. */
  arm(flow: number): void {
    this.#wheelOf(flow).arm(flow, (this.#deadlineOf(flow) >>> periodShift) + 1);
  }

  /** Waits no more. The flow's state must be of the class in which it was armed. */
  disarm(flow: number): void {
    this.#wheelOf(flow).disarm(flow);
  }

  /** Takes out a flow that has been silent for too long; `notDue` if another look is worth it, 0 if none is. */
  take(nowTick: number): number {
    const period = nowTick >>> periodShift;
    for (let flowClass = 0; flowClass < this.#wheels.length; flowClass++) {
      const flow = this.#wheels[flowClass]!.take(period);
      if (flow === 0) continue;
      if (this.#deadlineOf(flow) <= nowTick) return flow;
      this.arm(flow);
      return notDue;
    }
    return 0;
  }

  /** The flow of a class that is due soonest, as far as anybody has looked; 0 if the class is empty. */
  soonest(flowClass: number): number {
    return this.#wheels[flowClass]!.soonest();
  }

  #wheelOf(flow: number): TimerWheel {
    return this.#wheels[classOfState[this.#rows.stateOf(flow)]!]!;
  }

  #deadlineOf(flow: number): number {
    return this.#rows.lastSeenOf(flow) + this.#timeouts[this.#rows.stateOf(flow)]!;
  }
}
