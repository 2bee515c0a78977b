/**
 * The threads of a packet path, each with a queue and a share of the flows: started together, given every generation
 * of tables, replaced when they fail, and ended together.
 */
import { StopSignal } from 'node-netfilter-queue';
import type { Clock } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import { findFreeQueues } from './free-queues.ts';
import type { Publication } from './publication.ts';
import { type ShardMemory, Vital } from './shard-memory.ts';
import { Watchdog } from './watchdog.ts';
import type { WorkerTask } from './worker.ts';
import { startWorker, type WorkerThread } from './worker-thread.ts';

export interface WorkersOptions {
  /** One for each worker. */
  readonly memories: readonly ShardMemory[];
  /** Whether packets pass while their worker's queue is full. */
  readonly failOpen: boolean;
  /** What a worker is to do at this moment. */
  readonly taskOf: (worker: number) => WorkerTask;
  readonly clock: Clock;
  readonly log: Log;
}

export class Workers {
  /** Worker `k` reads queue `firstQueue + k`. */
  firstQueue = 0;
  readonly #options: WorkersOptions;
  readonly #watchdogs: readonly Watchdog[];
  #stopSignal: StopSignal | undefined;

  constructor(options: WorkersOptions) {
    this.#options = options;
    this.#watchdogs = options.memories.map((memory, worker) => this.#watchdog(worker, memory));
  }

  /** Chooses queues that nobody has. Throws ERR_SLUICE_QUEUE. */
  chooseQueues(): void {
    this.firstQueue = findFreeQueues(this.#watchdogs.length);
  }

  /** Resolves once all have their queues. Rejects with a SluiceError; `end` then ends those that have begun. */
  async start(): Promise<void> {
    this.#stopSignal = new StopSignal();
    await Promise.all(this.#watchdogs.map((watchdog) => watchdog.begin()));
  }

  /** Has all of them go over to these tables before their next batch. */
  post(publication: Publication): void {
    this.#watchdogs.forEach(({ thread }, worker) => {
      thread?.post(publication);
      Atomics.store(this.#options.memories[worker]!.vitals, Vital.published, publication.tables.generation);
    });
  }

  /** Resolves when all have ended. Idempotent. */
  async end(): Promise<void> {
    if (this.#stopSignal === undefined) return;
    this.#stopSignal.raise();
    await Promise.all(this.#watchdogs.map((watchdog) => watchdog.end()));
    this.#stopSignal.close();
    this.#stopSignal = undefined;
  }

  /** How often each worker had to be replaced. */
  get restarts(): readonly number[] {
    return this.#watchdogs.map(({ restarts }) => restarts);
  }

  #watchdog(worker: number, memory: ShardMemory): Watchdog {
    const { taskOf, failOpen, clock, log } = this.#options;
    const start = async (): Promise<WorkerThread> => {
      const task = taskOf(worker);
      Atomics.store(memory.vitals, Vital.published, task.publication.tables.generation);
      const thread = await startWorker({
        queue: this.firstQueue + worker,
        stopFd: this.#stopSignal!.fd,
        failOpen,
        memory,
        task,
      });
      // Tables that came out in the meantime.
      thread.post(taskOf(worker).publication);
      return thread;
    };
    const heartbeat = (): number => Atomics.load(memory.vitals, Vital.heartbeat);
    return new Watchdog({ worker, start, heartbeat, clock, log });
  }
}
