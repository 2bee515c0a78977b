/**
 * A running sluice: all its services, from the first listener to the last flow.
 *
 *     start ──▶ serving ──── stop ───▶ draining ── no flows left, or the deadline ──▶ stopped
 *                │   ▲                    │
 *                └───┘ reload             └── close ──▶ at once
 */
import type { Backend } from '../balance/backend.ts';
import type { BackendPatch, ConfigText, Controllable } from '../control/controllable.ts';
import type { PathSnapshot } from '../datapath/snapshot.ts';
import type { FlowTuple } from '../hash/flow-key.ts';
import { SluiceError } from '../model/errors.ts';
import type { FlowQuery } from '../model/flow-query.ts';
import type { Log, LogLevel } from '../model/log.ts';
import type { PlanView } from '../model/plan.ts';
import type { InstanceSpec } from '../model/spec.ts';
import type { TraceView } from '../model/trace.ts';
import type {
  BackendView,
  FlowsView,
  HistoryView,
  LogView,
  PathView,
  ServiceView,
  StatusView,
} from '../model/view.ts';
import { tickMs } from '../proxy/context.ts';
import { BackendHistories } from './backend-history.ts';
import { createService, prepareServices } from './create-service.ts';
import type { OpenDatapaths } from './datapath.ts';
import { LogTail } from './log-tail.ts';
import { PacketPaths } from './packet-paths.ts';
import { patchBackends } from './patch-backends.ts';
import { planServices } from './plan.ts';
import { type Retired, summarize } from './reload.ts';
import { ReloadRecord } from './reload-record.ts';
import { type Addresses, resolveHosts } from './resolve.ts';
import { requireRoutable } from './routable.ts';
import type { RunningService, Surroundings } from './running-service.ts';
import { Services } from './services.ts';
import { traceFlow } from './tracing.ts';
import { TrafficHistory } from './traffic-history.ts';
import { version } from './version.ts';
import { viewBackend, viewFlows } from './views.ts';

/** Reads the configuration anew, from where it came; of another text, as if that stood there. */
export type Reread = (instead?: ConfigText) => Promise<InstanceSpec>;

export interface InstanceOptions {
  readonly spec: InstanceSpec;
  readonly reread?: Reread;
  readonly surroundings: Omit<Surroundings, 'hashSeed'>;
  /** Not called without a service of the mode. */
  readonly openDatapaths: OpenDatapaths;
  /** How severe a log entry has to be for the instance to remember it; `info` unless given. */
  readonly rememberedLevel?: LogLevel;
}

export class Instance implements Controllable {
  ready = false;
  /** Resolves when the last flow has ended after a stop. */
  readonly stopped: Promise<void>;
  /** Where to log what the instance shall remember. */
  readonly logger: Log;

  readonly #reread: Reread | undefined;
  readonly #surroundings: Surroundings;
  readonly #startedMs: number;
  readonly #tail: LogTail;
  readonly #histories = new BackendHistories();
  readonly #history = new TrafficHistory();
  readonly #reloads = new ReloadRecord();
  readonly #resolveStopped: () => void;
  #spec: InstanceSpec;
  readonly #paths: PacketPaths;
  readonly #services = new Services();
  #ticker: NodeJS.Timeout | undefined;
  #drainDeadlineMs: number | undefined;
  #reloading = false;

  constructor({ spec, reread, surroundings, openDatapaths, rememberedLevel = 'info' }: InstanceOptions) {
    this.#spec = spec;
    this.#reread = reread;
    this.#tail = new LogTail(surroundings.log, rememberedLevel, Date.now);
    this.logger = this.#tail;
    this.#surroundings = { ...surroundings, log: this.#tail, hashSeed: spec.hashSeed };
    this.#paths = new PacketPaths(spec, openDatapaths, this.#tail);
    this.#startedMs = surroundings.clock.nowMs();
    let resolveStopped = (): void => undefined;
    this.stopped = new Promise((resolve) => {
      resolveStopped = resolve;
    });
    this.#resolveStopped = resolveStopped;
  }

  /**
   * Binds everything and begins to check; not so when a stop has come before. Rejects with a SluiceError,
   * leaving nothing bound.
   */
  async start(): Promise<void> {
    const [addresses] = await Promise.all([
      resolveHosts(this.#spec),
      prepareServices(this.#spec, this.#tail),
    ]);
    if (this.draining) return;
    this.#apply({ ...this.#spec, services: [] }, this.#spec, addresses);
    try {
      await this.#paths.apply();
    } catch (error) {
      this.#services.abandon();
      throw error;
    }
    if (this.draining) return;
    this.#ticker = setInterval(() => this.#tick(), tickMs);
    this.ready = true;
  }

  /** A stop has begun. */
  get draining(): boolean {
    return this.#drainDeadlineMs !== undefined;
  }

  status(): StatusView {
    return {
      name: this.#spec.name,
      version,
      pid: process.pid,
      state: this.draining ? 'draining' : 'serving',
      uptimeMs: Math.round(this.#surroundings.clock.nowMs() - this.#startedMs),
      services: this.#viewServices(),
      dropped: this.#paths.drops(),
      reloads: this.#reloads.view(this.#surroundings.clock.nowMs()),
    };
  }

  backends(): readonly BackendView[] {
    return this.#services
      .all()
      .flatMap((service) => service.pool.backends.map((backend) => this.#viewBackend(service, backend)));
  }

  paths(): readonly PathView[] {
    return this.#paths.view();
  }

  flows(query: FlowQuery): FlowsView {
    return viewFlows(this.#services.all(), query);
  }

  history(steps: number): HistoryView {
    return this.#history.view(steps);
  }

  log(after: number): LogView {
    return { entries: this.#tail.after(after) };
  }

  patchBackend(service: string | undefined, backend: string, patch: BackendPatch): readonly BackendView[] {
    const patched = patchBackends(this.#services.running.values(), { service, backend }, patch);
    return patched.map(([of, each]) => {
      const view = this.#viewBackend(of, each);
      const { name, state, weight } = view;
      this.#surroundings.log.info('backend set', { service: of.spec.name, backend: name, state, weight });
      return view;
    });
  }

  async plan(instead?: ConfigText): Promise<PlanView> {
    const next = await this.#read(instead);
    const addresses = await resolveHosts(next);
    this.#requireReady();
    const plan = this.#plan(next, addresses);
    try {
      this.#requireFit(next, addresses);
      return plan;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      return { ...plan, refused: { message: error.message, remedy: error.remedy ?? null } };
    }
  }

  async trace(tuple: FlowTuple): Promise<TraceView> {
    const addresses = await resolveHosts(this.#spec);
    return traceFlow(tuple, {
      instance: this.#spec.name,
      running: true,
      backends: this.backends(),
      services: this.#services.running.values(),
      paths: this.#paths,
      addresses,
    });
  }

  snapshots(tuples: readonly FlowTuple[]): readonly PathSnapshot[] {
    return this.#paths.snapshots(tuples);
  }

  async reload(): Promise<PlanView> {
    if (this.#reloading) throw new SluiceError('ERR_SLUICE_BUSY', 'the instance is reloading already');
    this.#requireReady();
    this.#reloading = true;
    let ok = false;
    try {
      const next = await this.#read();
      const [addresses] = await Promise.all([resolveHosts(next), prepareServices(next, this.#tail)]);
      this.#requireReady();
      const plan = this.#plan(next, addresses);
      const retired = this.#apply(this.#spec, next, addresses);
      this.#spec = next;
      this.#services.retire(retired, this.#surroundings.clock, next.drainMs);
      await this.#paths.apply();
      const { added, changed, removed, unchanged, needRestart } = plan;
      if (needRestart.length > 0) {
        this.#surroundings.log.warn('settings wait for a restart', { settings: needRestart.join(' ') });
      }
      this.#surroundings.log.info('reloaded', {
        added: added.length,
        changed: changed.length,
        removed: removed.length,
        unchanged: unchanged.length,
      });
      ok = true;
      return plan;
    } finally {
      this.#reloading = false;
      this.#reloads.note(ok, this.#surroundings.clock.nowMs());
    }
  }

  /** The configuration as it is now, or as it would be with another text. */
  #read(instead?: ConfigText): Promise<InstanceSpec> {
    if (this.#reread !== undefined) return this.#reread(instead);
    throw new SluiceError(
      'ERR_SLUICE_NO_CONFIGURATION',
      'this instance was started without a configuration',
      {
        remedy: 'use `sluice up -f FILE` to have one to reload',
      },
    );
  }

  /** What going over to `next` would do, if nothing stands in its way. */
  #plan(next: InstanceSpec, addresses: Addresses): PlanView {
    return {
      name: this.#spec.name,
      ...summarize(this.#spec, next),
      ...planServices(this.#spec, next, this.#services.running, addresses),
      drainMs: next.drainMs,
      refused: null,
    };
  }

  /** Throws a SluiceError if a specification cannot be gone over to while it runs. */
  #requireFit(next: InstanceSpec, addresses: Addresses): void {
    requireRoutable(next.services, addresses);
    this.#paths.requireUnchanged(next);
  }

  /** Throws a SluiceError, having changed nothing. */
  #apply(current: InstanceSpec, next: InstanceSpec, addresses: Addresses): Retired {
    this.#requireFit(next, addresses);
    this.#paths.configure(next);
    return this.#services.change(current, next, addresses, (spec) =>
      createService(spec, addresses, this.#paths, this.#surroundings),
    );
  }

  #requireReady(): void {
    if (this.ready) return;
    const doing = this.draining ? 'is stopping' : 'has not started yet';
    throw new SluiceError('ERR_SLUICE_BUSY', `the instance ${doing}`);
  }

  stop(): void {
    if (this.draining) return;
    this.ready = false;
    this.#drainDeadlineMs = this.#surroundings.clock.nowMs() + this.#spec.drainMs;
    for (const service of this.#services.running.values()) service.refuse();
    // A whole tick from now: by then whoever had arrived at a listener has been taken on.
    if (this.#ticker === undefined) this.close();
    else this.#ticker.refresh();
  }

  /** Ends everything at once, but for what puts the machine back, which `stopped` waits for. */
  close(): void {
    this.ready = false;
    clearInterval(this.#ticker);
    void this.#paths
      .stop()
      .catch((error: Error) => {
        this.#surroundings.log.error('the machine could not be put back', { error: error.message });
      })
      .then(this.#resolveStopped);
    this.#services.close();
  }

  #tick(): void {
    for (const service of this.#services.all()) {
      service.tick();
      for (const backend of service.pool.backends) this.#histories.observe(backend, service.nowMs);
    }
    this.#history.observe(
      this.#surroundings.clock.nowMs(),
      () => this.#viewServices(),
      () => Object.values(this.#paths.drops()).reduce((sum, count) => sum + count, 0),
    );
    this.#services.sweep();
    if (this.#drainDeadlineMs === undefined) return;
    const isDrained = this.#services.all().every((service) => service.flowCount === 0);
    if (isDrained || this.#surroundings.clock.nowMs() >= this.#drainDeadlineMs) this.close();
  }

  #viewServices(): ServiceView[] {
    return Array.from(this.#services.running.values(), (service) => service.view());
  }

  #viewBackend(service: RunningService, backend: Backend): BackendView {
    this.#histories.observe(backend, service.nowMs);
    return viewBackend(service, backend, this.#histories.view(backend, service.nowMs));
  }
}
