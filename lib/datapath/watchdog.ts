/**
 * Keeps one worker going: one that has died, or whose heart stands still, is replaced by another over the same memory,
 * which takes over its flows.
 *
 *   heartbeat the same for `hungAfterMs` ──▶ terminated ──▶ ended ──▶ started anew ──▶ at once, or after a pause if
 *                                                                                       it had not lived for long
 */
import type { Clock, Timer } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import type { WorkerThread } from './worker-thread.ts';

export interface WatchdogOptions {
  readonly worker: number;
  /** Starts the worker with the tables of the moment. */
  readonly start: () => Promise<WorkerThread>;
  /** A number that changes for as long as it is well. */
  readonly heartbeat: () => number;
  readonly clock: Clock;
  readonly log: Log;
}

const lookEveryMs = 500;
/** Above all that a batch of packets, a change of tables or a collection of garbage may take. */
const hungAfterMs = 3_000;
/** Who dies younger is not replaced before this has passed. */
const pauseMs = 1_000;

export class Watchdog {
  /** How often a worker was replaced. */
  restarts = 0;
  readonly #options: WatchdogOptions;
  #thread: WorkerThread | undefined;
  #timer: Timer | undefined;
  #startedMs = 0;
  #lastBeat = 0;
  #lastBeatMs = 0;
  #ending = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** The worker that serves now; none while it is being replaced. */
  get thread(): WorkerThread | undefined {
    return this.#thread;
  }

  /** Starts the worker for the first time; rejects if that fails. */
  async begin(): Promise<void> {
    await this.#start();
    this.#look();
  }

  /** Watches no more and resolves when the worker has ended, which others have told it to; if it does not, it has to. */
  async end(): Promise<void> {
    this.#ending = true;
    this.#timer?.cancel();
    const thread = this.#thread;
    if (thread === undefined) return;
    const patience = this.#options.clock.after(hungAfterMs, () => void thread.terminate());
    await thread.ended;
    patience.cancel();
  }

  async #start(): Promise<void> {
    const thread = await this.#options.start();
    this.#thread = thread;
    this.#startedMs = this.#options.clock.nowMs();
    this.#lastBeatMs = this.#startedMs;
    void thread.ended.then((error) => this.#onEnd(error));
    if (this.#ending) await thread.terminate();
  }

  #look(): void {
    const { clock, heartbeat, log, worker } = this.#options;
    this.#timer = clock.after(lookEveryMs, () => this.#look());
    const beat = heartbeat();
    const now = clock.nowMs();
    if (beat !== this.#lastBeat || this.#thread === undefined) {
      this.#lastBeat = beat;
      this.#lastBeatMs = now;
    } else if (now - this.#lastBeatMs >= hungAfterMs) {
      this.#lastBeatMs = now;
      log.error('A worker hangs and is ended', { worker, silentMs: hungAfterMs });
      void this.#thread.terminate();
    }
  }

  #onEnd(error: unknown): void {
    this.#thread = undefined;
    if (this.#ending) return;
    const { clock, log, worker } = this.#options;
    log.error('A worker has ended and is replaced', { worker, error: messageOf(error) });
    if (clock.nowMs() - this.#startedMs < pauseMs) clock.after(pauseMs, () => void this.#replace());
    else void this.#replace();
  }

  async #replace(): Promise<void> {
    if (this.#ending) return;
    const { clock, log, worker } = this.#options;
    try {
      await this.#start();
      this.restarts++;
      log.info('A worker took over the flows of another', { worker, restarts: this.restarts });
    } catch (error) {
      log.error('A worker could not be replaced', { worker, error: messageOf(error) });
      clock.after(pauseMs, () => void this.#replace());
    }
  }
}

function messageOf(error: unknown): string | undefined {
  return error === undefined ? undefined : String((error as { message?: unknown }).message ?? error);
}
