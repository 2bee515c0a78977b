/**
 * A dashboard at work, but for what it looks like: asks the instance, hears the keyboard, and keeps the state. How often
 * it asks follows from what that costs, so that it never takes more than a small share of a core.
 */
import type { ReachableInstance } from '../control/reachable.ts';
import { parseFlowTuple } from '../hash/flow-tuple.ts';
import type { Clock, Timer } from '../model/clock.ts';
import { ExitCode, SluiceError } from '../model/errors.ts';
import type { TraceView } from '../model/trace.ts';
import type { FlowView, LogEntry } from '../model/view.ts';
import type { Effect } from './effects.ts';
import { chosenFlow, flowQuery } from './rows.ts';
import { type Beginning, type DashboardState, initialState, type Sample } from './state.ts';
import { type Event, update } from './update.ts';

export interface SessionOptions {
  readonly instance: ReachableInstance;
  readonly clock: Clock;
  readonly beginning: Beginning;
  /** Shows a state; what throws here ends the session. */
  readonly show: (state: DashboardState) => void;
  /** Draws everything again. */
  readonly redraw: () => void;
  /** The instance inside of which the dashboard is shall stop. */
  readonly stop: () => void;
}

const betweenAsksMs = { least: 500, most: 5_000 } as const;
/** The time from one question to the next, in times of what the question and its picture took. */
const restFactor = 30;
/** Between two pictures, when keys come faster. */
const betweenPicturesMs = 40;
const tickMs = 1_000;

export class Session {
  /** Resolves when the person has quit; rejects with what went wrong in here. */
  readonly ended: Promise<void>;
  readonly #options: SessionOptions;
  readonly #resolveEnded: () => void;
  readonly #rejectEnded: (error: unknown) => void;
  #state: DashboardState;
  #isClosed = false;
  #isAsking = false;
  /** Somebody wants to know more than what is being asked. */
  #asksAgain = false;
  #next: Timer | undefined;
  #picture: Timer | undefined;
  #pictureMs = Number.NEGATIVE_INFINITY;
  #tick: Timer | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#state = initialState(options.beginning);
    let resolveEnded = (): void => undefined;
    let rejectEnded = (_error: unknown): void => undefined;
    this.ended = new Promise<void>((resolve, reject) => {
      resolveEnded = resolve;
      rejectEnded = reject;
    });
    this.#resolveEnded = resolveEnded;
    this.#rejectEnded = rejectEnded;
  }

  get state(): DashboardState {
    return this.#state;
  }

  /** Shows an empty picture and asks for the first time. */
  start(): void {
    this.#guarded(() => this.#show());
    this.#ask();
    this.#tickLater();
  }

  /** Something has happened. */
  dispatch(event: Event): void {
    this.#guarded(() => {
      const { state, effects } = update(this.#state, event, this.#options.clock.nowMs());
      const isOther = state !== this.#state;
      this.#state = state;
      if (isOther) this.#showSoon();
      for (const effect of effects) this.#act(effect);
    });
  }

  /** Ends it, as the person does by quitting. */
  close(): void {
    this.#end(this.#resolveEnded);
  }

  #end(settle: () => void): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of [this.#next, this.#picture, this.#tick]) timer?.cancel();
    settle();
  }

  /** A defect in here must not take the instance down with it. */
  #guarded(action: () => void): void {
    if (this.#isClosed) return;
    try {
      action();
    } catch (error) {
      this.#end(() => this.#rejectEnded(error));
    }
  }

  #act(effect: Effect): void {
    switch (effect.type) {
      case 'refresh':
        this.#ask();
        break;
      case 'patch':
        void this.#patch(effect);
        break;
      case 'redraw':
        this.#options.redraw();
        this.#show();
        break;
      case 'quit':
        this.close();
        break;
      case 'stop':
        this.#options.stop();
        break;
    }
  }

  async #patch({ backend, patch, done }: Extract<Effect, { type: 'patch' }>): Promise<void> {
    try {
      await this.#options.instance.patchBackend(backend.service, backend.name, patch);
      this.dispatch({ type: 'noticed', text: done, tone: 'good' });
    } catch (error) {
      this.dispatch({ type: 'noticed', text: messageOf(error), tone: 'bad' });
    }
    this.#ask();
  }

  /** One question at a time. */
  #ask(): void {
    if (this.#isAsking) {
      this.#asksAgain = true;
      return;
    }
    this.#next?.cancel();
    this.#isAsking = true;
    this.#asksAgain = false;
    void this.#askNow();
  }

  async #askNow(): Promise<void> {
    const { clock } = this.#options;
    const startedMs = clock.nowMs();
    try {
      const { sample, entries } = await this.#learn();
      if (!this.#state.isPaused || this.#state.sample === undefined) {
        this.dispatch({ type: 'sampled', sample });
        if (entries.length > 0) this.dispatch({ type: 'logged', entries });
      }
    } catch (error) {
      this.dispatch({ type: 'lost', reason: messageOf(error) });
    }
    this.#isAsking = false;
    if (this.#isClosed) return;
    const costMs = (clock.nowMs() - startedMs) * restFactor;
    const delayMs = Math.min(betweenAsksMs.most, Math.max(betweenAsksMs.least, costMs));
    if (this.#asksAgain) this.#ask();
    else this.#next = clock.after(delayMs, () => (this.#state.isPaused ? undefined : this.#ask()));
  }

  async #learn(): Promise<{ sample: Sample; entries: readonly LogEntry[] }> {
    const { instance, clock } = this.#options;
    const state = this.#state;
    const lastSeen = state.log.at(-1)?.sequence ?? 0;
    const [status, backends, history, flows, log] = await Promise.all([
      instance.status(),
      instance.backends(),
      instance.history(state.size.columns),
      state.view === 'flows' ? instance.flows(flowQuery(state)) : undefined,
      instance.log(lastSeen),
    ]);
    const isOther = state.sample !== undefined && state.sample.status.pid !== status.pid;
    const { entries } = isOther ? await instance.log(0) : log;
    const sample = { atMs: clock.nowMs(), status, backends, history, flows, trace: undefined };
    return { sample: { ...sample, trace: await this.#traceIn(sample) }, entries };
  }

  /** The way of the flow that will be chosen once `sample` is taken over: what was chosen may have gone. */
  async #traceIn(sample: Sample): Promise<TraceView | undefined> {
    if (!this.#state.isDetailOpen) return undefined;
    const { state } = update(this.#state, { type: 'sampled', sample }, sample.atMs);
    const flow = chosenFlow(state);
    return flow === undefined ? undefined : await this.#trace(flow);
  }

  /** Nothing of a flow that has no way to be told, such as one that has gone meanwhile. */
  async #trace({ protocol, client, vip }: FlowView): Promise<TraceView | undefined> {
    try {
      return await this.#options.instance.trace(parseFlowTuple([protocol, client, vip]));
    } catch (error) {
      if (error instanceof SluiceError && error.exitCode !== ExitCode.notReached) return undefined;
      throw error;
    }
  }

  /** The first picture at once, others not faster than the eye. */
  #showSoon(): void {
    if (this.#picture !== undefined) return;
    const { clock } = this.#options;
    const waitMs = this.#pictureMs + betweenPicturesMs - clock.nowMs();
    if (waitMs <= 0) {
      this.#show();
      return;
    }
    this.#picture = clock.after(waitMs, () => this.#guarded(() => this.#show()));
  }

  #show(): void {
    this.#picture?.cancel();
    this.#picture = undefined;
    this.#options.show(this.#state);
    this.#pictureMs = this.#options.clock.nowMs();
  }

  /** Time shows where something waits or passes away by itself. */
  #tickLater(): void {
    this.#tick = this.#options.clock.after(tickMs, () => {
      if (this.#state.notice !== undefined || this.#state.link.state === 'lost')
        this.dispatch({ type: 'ticked' });
      if (!this.#isClosed) this.#tickLater();
    });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
