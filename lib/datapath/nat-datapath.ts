/**
 * The NAT packet path of an instance, as the main thread holds it: machine, queues, workers and tables, for all its
 * services of mode nat.
 *
 *   NatVip[] ─▶ Publisher ─▶ tables ──▶ mailbox of each worker          flows, counters ─▶ Readings
 *                     └────▶ KernelDescription ─▶ KernelSetup           heartbeats ─▶ Watchdog of each worker
 */
import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { StopSignal } from 'node-netfilter-queue';
import type { Clock, Timer } from '../model/clock.ts';
import type { Log } from '../model/log.ts';
import { listFlows, type NatFlow } from './flow-list.ts';
import { findFreeQueues } from './free-queues.ts';
import { isLocal } from './kernel/addresses.ts';
import { commandRunner, type Run } from './kernel/command.ts';
import type { KernelDescription } from './kernel/description.ts';
import { requirePrivileges } from './kernel/privileges.ts';
import { KernelSetup } from './kernel/setup.ts';
import { describeKernel, sharePorts } from './kernel-description.ts';
import { monotonicMs } from './monotonic.ts';
import { endpointName, type Generation, Publisher } from './publisher.ts';
import { Readings, type Traffic } from './readings.ts';
import type { NatEndpoint, NatSettings, NatVip } from './settings.ts';
import { snatLimit } from './shard.ts';
import { createShardMemory, type ShardMemory, Vital } from './shard-memory.ts';
import { ownAddressTowards } from './snat-addresses.ts';
import { Watchdog } from './watchdog.ts';
import { startWorker, type WorkerThread } from './worker-thread.ts';

const vipLimit = 1_024;
const endpointLimit = 4_096;
const batchSize = 128;
/** How often it is seen to numbers and rules whose last flow is gone, and to interfaces that are new. */
const sweepMs = 5_000;

const word = 2 ** 32;
const noTraffic: Traffic = { flows: 0, opened: 0, packetsIn: 0, packetsOut: 0, bytesIn: 0, bytesOut: 0 };

export class NatDatapath {
  readonly #settings: NatSettings;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #run: Run;
  readonly #kernel: KernelSetup;
  readonly #publisher: Publisher;
  readonly #memories: readonly ShardMemory[];
  readonly #readings: Readings;
  readonly #key = { low: randomInt(word), high: randomInt(word) };
  readonly #spreadSeed = randomInt(word);
  /** By backend address: what this machine is to it. */
  readonly #ownAddresses = new Map<string, string>();
  /** Of the VIPs seen so far: whether the machine had them before we came. */
  readonly #wasOwn = new Map<string, boolean>();
  #watchdogs: readonly Watchdog[] = [];
  #stopSignal: StopSignal | undefined;
  #firstQueue = 0;
  #vips: readonly NatVip[] = [];
  #generation: Generation | undefined;
  #description: KernelDescription | undefined;
  #refusing = false;
  #sweeper: Timer | undefined;
  /** The end of what was asked for last: one thing at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(settings: NatSettings, log: Log, clock: Clock) {
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#run = commandRunner(settings.directory);
    this.#kernel = new KernelSetup({ instance: settings.name, directory: settings.directory, log });
    const { workers, maxFlows, hashSeed, snatPorts } = settings;
    this.#publisher = new Publisher({
      limits: { vips: vipLimit, endpoints: endpointLimit, snats: snatLimit },
      hashSeed,
      snatPorts,
    });
    // Row 0 of a table holds no flow.
    const capacity = 2 ** Math.ceil(Math.log2(maxFlows / workers + 1));
    const shape = { capacity, vips: vipLimit, endpoints: endpointLimit };
    this.#memories = Array.from({ length: workers }, () => createShardMemory(shape));
    this.#readings = new Readings(this.#memories);
  }

  /**
   * Opens queues, starts workers and has packets come to them. Rejects with a SluiceError and leaves nothing behind;
   * its exit code is 4 where something is missing.
   */
  start(vips: readonly NatVip[]): Promise<void> {
    return this.#inTurn(async () => {
      requirePrivileges();
      try {
        const generation = await this.#nextGeneration(vips);
        this.#firstQueue = findFreeQueues(this.#settings.workers);
        this.#stopSignal = new StopSignal();
        this.#watchdogs = this.#memories.map((memory, worker) => this.#watchdog(worker, memory));
        await Promise.all(this.#watchdogs.map((watchdog) => watchdog.begin()));
        this.#description = this.#describe(generation);
        await this.#kernel.apply(this.#description);
      } catch (error) {
        await this.#takeDown();
        throw error;
      }
      this.#sweepLater();
    });
  }

  /** Makes `vips` the truth for every packet from now on. Flows stay where they are. */
  publish(vips: readonly NatVip[]): Promise<void> {
    return this.#inTurn(() => this.#publish(vips));
  }

  /** From now on there are no new flows; those that are there go on. */
  async refuse(): Promise<void> {
    this.#refusing = true;
    await this.publish(this.#vips);
  }

  /** Puts everything back and resolves when the workers have ended. Idempotent. */
  stop(): Promise<void> {
    return this.#inTurn(() => this.#takeDown());
  }

  vipTraffic(vip: NatEndpoint): Traffic {
    return this.#traffic('vip', this.#generation?.vips.numberOf(endpointName(vip)));
  }

  /** Of an address of backends, over all services that share it. */
  endpointTraffic(endpoint: NatEndpoint): Traffic {
    return this.#traffic('endpoint', this.#generation?.endpoints.numberOf(endpointName(endpoint)));
  }

  /** Packets to a VIP that were dropped or refused, by reason; without a VIP, those of which it is not known whose. */
  drops(vip?: NatEndpoint): Readonly<Record<string, number>> {
    const number = vip === undefined ? 0 : this.#generation?.vips.numberOf(endpointName(vip));
    return number === undefined ? {} : this.#readings.drops(number);
  }

  /** Flows now, `limit` of them at most. */
  flows(limit: number): NatFlow[] {
    const vips = new Map(this.#generation?.vips.all.map(({ number, value }) => [number, value]));
    const endpoints = new Map(this.#generation?.endpoints.all.map(({ number, value }) => [number, value]));
    const names = {
      vip: (number: number) => vips.get(number),
      endpoint: (number: number) => endpoints.get(number),
    };
    const nowMs = monotonicMs();
    const flows: NatFlow[] = [];
    for (const { rows } of this.#readings.shards) {
      flows.push(...listFlows(rows, names, limit - flows.length, nowMs));
    }
    return flows;
  }

  flowCount(): number {
    return this.#readings.flowCount();
  }

  /** How often a worker had to be replaced. */
  get workerRestarts(): number {
    return this.#watchdogs.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  #traffic(kind: 'vip' | 'endpoint', number: number | undefined): Traffic {
    return number === undefined ? noTraffic : this.#readings.traffic(kind, number);
  }

  #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(action);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #publish(vips: readonly NatVip[]): Promise<void> {
    const generation = await this.#nextGeneration(vips);
    const { publication } = generation;
    this.#watchdogs.forEach(({ thread }, worker) => {
      thread?.post(publication);
      Atomics.store(this.#memories[worker]!.vitals, Vital.published, publication.tables.generation);
    });
    await this.#prepareMachine(generation);
  }

  async #prepareMachine(generation: Generation): Promise<void> {
    const description = this.#describe(generation);
    if (isDeepStrictEqual(description, this.#description)) return;
    await this.#kernel.change(description);
    this.#description = description;
  }

  async #nextGeneration(vips: readonly NatVip[]): Promise<Generation> {
    await this.#learnAddresses(vips);
    const readings = this.#readings;
    const usage = {
      takenGeneration: readings.takenGeneration(),
      vipInUse: (number: number) => readings.flows('vip', number) > 0,
      endpointInUse: (number: number) => readings.flows('endpoint', number) > 0,
      snatInUse: (number: number) => readings.usesSnat(number),
    };
    const { snatAddresses } = this.#settings;
    const snatsFor = (backend: string): readonly string[] => {
      if (snatAddresses.length > 0) return snatAddresses;
      const own = this.#ownAddresses.get(backend);
      return own === undefined ? [] : [own];
    };
    const generation = this.#publisher.publish(vips, snatsFor, usage, this.#refusing);
    readings.clear('vip', generation.vips.fresh);
    readings.clear('endpoint', generation.endpoints.fresh);
    this.#vips = vips;
    this.#generation = generation;
    return generation;
  }

  /** Asks the machine about addresses that are new. */
  async #learnAddresses(vips: readonly NatVip[]): Promise<void> {
    for (const { address } of vips) {
      if (!this.#wasOwn.has(address)) this.#wasOwn.set(address, await isLocal(address));
    }
    if (this.#settings.snatAddresses.length > 0) return;
    for (const { address } of vips.filter(({ snat }) => snat).flatMap(({ backends }) => backends)) {
      if (this.#ownAddresses.has(address)) continue;
      this.#ownAddresses.set(address, await ownAddressTowards(address, this.#run));
    }
  }

  #describe(generation: Generation): KernelDescription {
    return describeKernel(generation, {
      settings: this.#settings,
      firstQueue: this.#firstQueue,
      spreadSeed: this.#spreadSeed,
      isOwn: (address) => this.#wasOwn.get(address) === true,
    });
  }

  #watchdog(worker: number, memory: ShardMemory): Watchdog {
    const { hashSeed, timeouts, snatPorts, workers } = this.#settings;
    const settings = {
      key: this.#key,
      hashSeed,
      timeouts,
      batchSize,
      snatPorts: sharePorts(snatPorts, workers)[worker]!,
    };
    const start = async (): Promise<WorkerThread> => {
      const { publication } = this.#generation!;
      Atomics.store(memory.vitals, Vital.published, publication.tables.generation);
      const thread = await startWorker({
        queue: this.#firstQueue + worker,
        stopFd: this.#stopSignal!.fd,
        memory,
        settings,
        publication,
      });
      // Tables that came out in the meantime.
      thread.post(this.#generation!.publication);
      return thread;
    };
    return new Watchdog({
      worker,
      start,
      heartbeat: () => Atomics.load(memory.vitals, Vital.heartbeat),
      clock: this.#clock,
      log: this.#log,
    });
  }

  #sweepLater(): void {
    this.#sweeper = this.#clock.after(sweepMs, () => {
      void this.#inTurn(() => this.#sweep()).catch((error) => {
        this.#log.warn('What is configured no more could not be cleared away', { error: String(error) });
      });
    });
  }

  /** Publishes anew when a name is retired whose last flow has gone, and prepares interfaces that have come. */
  async #sweep(): Promise<void> {
    if (this.#sweeper === undefined) return;
    this.#sweepLater();
    const { vips, endpoints } = this.#generation!;
    const isOver =
      (kind: 'vip' | 'endpoint') =>
      ({ number, retired }: { readonly number: number; readonly retired: boolean }): boolean =>
        retired && this.#readings.flows(kind, number) === 0;
    const isStale = vips.all.some(isOver('vip')) || endpoints.all.some(isOver('endpoint'));
    if (isStale) await this.#publish(this.#vips);
    else await this.#prepareMachine(this.#generation!);
  }

  /** Rules first, so that no packet comes to a queue that nobody reads. */
  async #takeDown(): Promise<void> {
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
    await this.#kernel.undo();
    this.#stopSignal?.raise();
    await Promise.all(this.#watchdogs.map((watchdog) => watchdog.end()));
    this.#stopSignal?.close();
    this.#stopSignal = undefined;
  }
}
