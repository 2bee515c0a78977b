/**
 * The packet path of one mode of an instance, as the main thread holds it: machine, queues, workers and tables, for all
 * its services of that mode.
 *
 *   Vip[] ─▶ PathMode ─▶ Generation ─┬▶ tables ──▶ mailbox of each worker       flows, counters ─▶ Readings
 *                                    └▶ KernelDescription ─▶ KernelSetup        heartbeats ─▶ Watchdog of each worker
 */
import { randomInt } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { FlowTuple } from '../hash/flow-key.ts';
import type { Clock, Timer } from '../model/clock.ts';
import type { FlowQuery } from '../model/flow-query.ts';
import type { Log } from '../model/log.ts';
import { addTraffic, noTraffic, type Traffic } from '../model/traffic.ts';
import type { PathView } from '../model/view.ts';
import { flowFinder } from './flow-finder.ts';
import { type FlowGroup, groupFlows } from './flow-groups.ts';
import { type FoundFlows, findFlows } from './flow-list.ts';
import { type FlowNames, nameFlows } from './flow-names.ts';
import { isLocal } from './kernel/addresses.ts';
import type { Endpoint, KernelDescription } from './kernel/description.ts';
import { requirePrivileges } from './kernel/privileges.ts';
import { KernelSetup } from './kernel/setup.ts';
import { describeKernel } from './kernel-needs.ts';
import type { Generation, PathMode, ProbeSource } from './mode.ts';
import { monotonicMs } from './monotonic.ts';
import { viewPath } from './path-view.ts';
import type { Publication } from './publication.ts';
import { pathLimits, vipName } from './publisher.ts';
import { Readings } from './readings.ts';
import type { PathSettings, Vip, VipBackend } from './settings.ts';
import type { CommonSettings } from './shard.ts';
import { createShardMemory, type ShardMemory } from './shard-memory.ts';
import { type PathSnapshot, takeSnapshot } from './snapshot.ts';
import { Workers } from './workers.ts';

const batchSize = 128;
/** How often it is seen to numbers and rules whose last flow is gone, and to interfaces that are new. */
const sweepMs = 5_000;
/** How many sweeps there are until the machine is asked again for what it has said. */
const sweepsToRefresh = 60;

const word = 2 ** 32;

export class QueueDatapath<V extends Vip, P extends Publication> {
  readonly #mode: PathMode<V, P>;
  readonly #settings: PathSettings;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #kernel: KernelSetup;
  readonly #workers: Workers;
  readonly #readings: Readings;
  readonly #common: CommonSettings;
  readonly #spreadSeed = randomInt(word);
  /** Of the VIPs seen so far: whether the machine had them before we came. */
  readonly #wasOwn = new Map<string, boolean>();
  #vips: readonly V[] = [];
  #generation: Generation<P> | undefined;
  #description: KernelDescription | undefined;
  #refusing = false;
  #sweeper: Timer | undefined;
  #sweeps = 0;
  /** The end of what was asked for last: one thing at a time. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(mode: PathMode<V, P>, settings: PathSettings, log: Log, clock: Clock) {
    this.#mode = mode;
    this.#settings = settings;
    this.#log = log;
    this.#clock = clock;
    this.#kernel = new KernelSetup({ holder: mode.holder, directory: settings.directory, log });
    const { hashSeed, timeouts } = settings;
    this.#common = {
      key: { low: randomInt(word), high: randomInt(word) },
      hashSeed,
      timeouts,
      batchSize,
    };
    const memories = createMemories(settings);
    this.#readings = new Readings(memories);
    this.#workers = new Workers({
      memories,
      failOpen: settings.onFailure === 'bypass',
      taskOf: (worker) => mode.task(worker, this.#common, this.#generation!.publication),
      clock,
      log,
    });
  }

  /**
   * Opens queues, starts workers and has packets come to them. Rejects with a SluiceError and leaves nothing behind;
   * its exit code is 4 where something is missing.
   */
  start(vips: readonly V[]): Promise<void> {
    return this.#inTurn(async () => {
      requirePrivileges();
      try {
        await this.#kernel.clean();
        this.#workers.chooseQueues();
        const generation = await this.#nextGeneration(vips);
        await this.#workers.start();
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
  publish(vips: readonly V[]): Promise<void> {
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

  vipTraffic(vip: Endpoint): Traffic {
    return this.#traffic('vip', this.#generation?.vips.numberOf(vipName(vip)));
  }

  /** Of a backend at these VIPs, and at all others for which it is the same endpoint. */
  backendTraffic(vips: readonly V[], backend: VipBackend): Traffic {
    const names = new Set(vips.map((vip) => this.#mode.endpointName(vip, backend)));
    const traffic = Array.from(names, (name) =>
      this.#traffic('endpoint', this.#generation?.endpoints.numberOf(name)),
    );
    return traffic.reduce(addTraffic, noTraffic);
  }

  /** Endpoints of several protocols have ports of their own each. */
  sourcePorts(vips: readonly V[], backend: VipBackend): number | null {
    const mode = this.#mode;
    const portsOf = (vip: V) =>
      [mode.endpointName(vip, backend), mode.sourcePorts?.(vip, backend) ?? null] as const;
    const endpoints = new Map(vips.map(portsOf));
    return [...endpoints.values()].reduce((sum, ports) => (ports === null ? sum : (sum ?? 0) + ports), null);
  }

  /** Packets to a VIP that were dropped or refused, by reason; without a VIP, those of which it is not known whose. */
  drops(vip?: Endpoint): Readonly<Record<string, number>> {
    const number = vip === undefined ? 0 : this.#generation?.vips.numberOf(vipName(vip));
    return number === undefined ? {} : this.#readings.drops(number);
  }

  /** Flows now, as `query` wants them. */
  flows(query: FlowQuery): FoundFlows {
    return findFlows(this.#readings.shards, query, this.#names(), monotonicMs());
  }

  flowCount(): number {
    return this.#readings.flowCount();
  }

  /** Flows that are not over by where they go, with up to `examples` of each. */
  groups(examples: number): FlowGroup[] {
    return groupFlows(this.#readings.shards, this.#names(), examples, monotonicMs());
  }

  /** See PathMode; undefined too where checks go to backends themselves. */
  probeFrom(vip: V, backend: VipBackend): ProbeSource | undefined {
    return this.#mode.probeFrom?.(vip, backend);
  }

  /** This moment, with those of the flows that `tuples` are packets of, in either direction. */
  snapshot(tuples: readonly FlowTuple[]): PathSnapshot {
    const generation = this.#generation!;
    const { shards } = this.#readings;
    const memories = shards.map(({ memory }) => memory);
    const find = flowFinder(memories, this.#common.key, this.#mode.bookOf(generation.publication));
    return takeSnapshot({
      mode: this.#mode,
      generation,
      vips: this.#vips,
      settings: this.#common,
      nowMs: monotonicMs(),
      rules: this.#description!.rules,
      tool: this.#kernel.tool,
      flows: tuples.flatMap((tuple) => find(tuple) ?? []),
      loads: shards.map(({ rows }) => rows.flowsOfEndpoint),
    });
  }

  /** Queues, workers and tables. Looks at every row. */
  view(): Omit<PathView, 'mode'> {
    return viewPath(this.#generation!, this.#vips, this.#readings, this.#workers);
  }

  #names(): FlowNames {
    return nameFlows(this.#generation!, this.#vips, this.#mode);
  }

  #traffic(kind: 'vip' | 'endpoint', number: number | undefined): Traffic {
    return number === undefined ? noTraffic : this.#readings.traffic(kind, number);
  }

  #inTurn<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(action);
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #publish(vips: readonly V[]): Promise<void> {
    const generation = await this.#nextGeneration(vips);
    await this.#prepareWays(generation);
    this.#workers.post(generation.publication);
    await this.#prepareMachine(generation);
  }

  /** Before packets get a mark, it has to lead somewhere. */
  async #prepareWays({ markedRoutes }: Generation<P>): Promise<void> {
    const before = this.#description!;
    const fresh = markedRoutes.filter(
      (route) => !before.markedRoutes.some((known) => isDeepStrictEqual(known, route)),
    );
    if (fresh.length === 0) return;
    const description = { ...before, markedRoutes: [...before.markedRoutes, ...fresh] };
    await this.#kernel.change(description);
    this.#description = description;
  }

  async #prepareMachine(generation: Generation<P>): Promise<void> {
    const description = this.#describe(generation);
    if (isDeepStrictEqual(description, this.#description)) return;
    await this.#kernel.change(description);
    this.#description = description;
  }

  async #nextGeneration(vips: readonly V[]): Promise<Generation<P>> {
    for (const { address } of vips) {
      if (!this.#wasOwn.has(address)) this.#wasOwn.set(address, await isLocal(address));
    }
    await this.#mode.learn(vips);
    const readings = this.#readings;
    const { firstQueue } = this.#workers;
    const generation = this.#mode.publish(vips, {
      ...readings.usage(),
      refuse: this.#refusing,
      firstQueue,
    });
    readings.clear('vip', generation.vips.fresh);
    readings.clear('endpoint', generation.endpoints.fresh);
    this.#vips = vips;
    this.#generation = generation;
    return generation;
  }

  #describe(generation: Generation<P>): KernelDescription {
    return describeKernel(generation, {
      settings: this.#settings,
      firstQueue: this.#workers.firstQueue,
      spreadSeed: this.#spreadSeed,
      isOwn: (address) => this.#wasOwn.get(address) === true,
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
    this.#sweeps++;
    const isDue = this.#mode.refresh !== undefined && this.#sweeps % sweepsToRefresh === 0;
    if (isDue) await this.#mode.refresh!();
    if (isStale || isDue) await this.#publish(this.#vips);
    else await this.#prepareMachine(this.#generation!);
  }

  /** Rules first, so that no packet comes to a queue that nobody reads. */
  async #takeDown(): Promise<void> {
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
    await this.#kernel.undo();
    await this.#workers.end();
  }
}

function createMemories({ workers, maxFlows }: PathSettings): readonly ShardMemory[] {
  // Row 0 of a table holds no flow.
  const capacity = 2 ** Math.ceil(Math.log2(maxFlows / workers + 1));
  return Array.from({ length: workers }, () => createShardMemory({ capacity, ...pathLimits }));
}
