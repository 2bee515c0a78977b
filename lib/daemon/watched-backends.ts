/** The backends of one running service, each at its address and under the eyes of a health checker. */
import type { Backend } from '../balance/backend.ts';
import { BackendPool, type PoolSettings } from '../balance/pool.ts';
import { HealthChecker } from '../health/session/checker.ts';
import { probeFor } from '../health/session/probe-for.ts';
import type { CheckSpec, ServiceSpec } from '../model/spec.ts';
import { type CheckWay, directly } from './check-way.ts';
import type { Addresses } from './resolve.ts';
import type { Surroundings } from './running-service.ts';

export interface WatchedBackendsOptions {
  readonly spec: ServiceSpec;
  readonly settings: PoolSettings;
  readonly addresses: Addresses;
  readonly surroundings: Surroundings;
  /** How a check finds its backend; straight there when absent. */
  readonly wayOf?: (check: CheckSpec) => CheckWay;
  /** Called when a backend has gone down. */
  readonly onDown: (backend: Backend) => void;
}

export class WatchedBackends {
  readonly pool: BackendPool;
  #spec: ServiceSpec;
  readonly #surroundings: Surroundings;
  readonly #wayOf: (check: CheckSpec) => CheckWay;
  readonly #onDown: (backend: Backend) => void;
  readonly #checkers = new Map<Backend, HealthChecker>();

  /** Checks nothing yet. */
  constructor(options: WatchedBackendsOptions) {
    const { spec, settings, addresses, surroundings, wayOf = () => directly, onDown } = options;
    const { clock, random, hashSeed } = surroundings;
    this.#spec = spec;
    this.#surroundings = surroundings;
    this.#wayOf = wayOf;
    this.#onDown = onDown;
    this.pool = new BackendPool({ ...settings, hashSeed, random }, spec.backends, clock.nowMs());
    this.#address(addresses);
  }

  /** Begins to check those that are not checked yet. */
  check(): void {
    const unwatched = this.pool.backends.filter(
      (backend) => !this.#checkers.has(backend) && !backend.removed,
    );
    for (const backend of unwatched) this.#watch(backend, unwatched.length);
  }

  /** Adopts a new specification and returns the backends that were removed. Those that are new are not checked yet. */
  update(spec: ServiceSpec, settings: PoolSettings, addresses: Addresses): readonly Backend[] {
    const checkChanged = JSON.stringify(spec.check) !== JSON.stringify(this.#spec.check);
    this.#spec = spec;
    const { pool } = this;
    const { onRoom } = pool;
    // Nobody is admitted to a new backend before it has its address.
    pool.onRoom = null;
    const { removed } = pool.update(spec.backends, settings, this.#surroundings.clock.nowMs());
    const moved = this.#address(addresses);
    pool.onRoom = onRoom;
    for (const backend of checkChanged ? [...this.#checkers.keys()] : [...removed, ...moved]) {
      this.#unwatch(backend);
    }
    return removed;
  }

  /** How long its last few checks took, oldest first; null where one failed. */
  checksOf(backend: Backend): readonly (number | null)[] {
    return this.#checkers.get(backend)?.checks ?? [];
  }

  /** A client has been answered by the backend. */
  observeSuccess(backend: Backend): void {
    this.#checkers.get(backend)?.observeSuccess();
  }

  /** A client was failed by it. */
  observeFailure(backend: Backend, reason: string): void {
    this.#checkers.get(backend)?.observeFailure(reason);
  }

  /** Checks no more. */
  close(): void {
    for (const backend of [...this.#checkers.keys()]) this.#unwatch(backend);
  }

  /** Gives the backends their addresses and returns those that have another one now. */
  #address(addresses: Addresses): readonly Backend[] {
    return this.pool.backends.filter((backend) => {
      const address = backend.removed ? backend.address : addresses(backend.host);
      const isOther = address !== backend.address;
      backend.address = address;
      return isOther;
    });
  }

  #watch(backend: Backend, together: number): void {
    const { clock, random } = this.#surroundings;
    const { check } = this.#spec;
    const way = this.#wayOf(check);
    const probe = probeFor(check);
    const checker = new HealthChecker({
      target: { host: backend.address, port: backend.port, backendName: backend.name },
      check,
      probe: probe && way.through(probe, backend),
      inWords: (failure) => way.inWords(failure),
      clock,
      random,
      onVerdict: (up, last) => this.#judge(backend, up, last),
      onCheck: (passed) => {
        if (passed) backend.checksPassed++;
        else backend.checksFailed++;
      },
    });
    this.#checkers.set(backend, checker);
    checker.start(together);
    // What an earlier check has found no later one would take back.
    if (check.type === 'none') this.#judge(backend, true, 'unchecked');
  }

  #unwatch(backend: Backend): void {
    this.#checkers.get(backend)?.stop();
    this.#checkers.delete(backend);
  }

  #judge(backend: Backend, up: boolean, last: string): void {
    const { clock, log } = this.#surroundings;
    const turned = backend.up !== up;
    this.pool.setHealth(backend, up, last, clock.nowMs());
    if (!turned) return;
    const fields = { service: this.#spec.name, backend: backend.name, reason: last };
    if (up) {
      log.info('backend is up', fields);
      return;
    }
    log.warn('backend is down', fields);
    this.#onDown(backend);
  }
}
