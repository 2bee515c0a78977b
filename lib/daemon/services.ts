/**
 * The services of an instance by name, and what a reload has retired of them: whole services and single backends take
 * no new flows, keep those they have until the deadline, and are gone after that.
 *
 *     running ── change ──▶ retired ── no flows left, or the deadline ──▶ closed
 */
import type { Backend } from '../balance/backend.ts';
import type { Clock } from '../model/clock.ts';
import type { InstanceSpec, ServiceSpec } from '../model/spec.ts';

import { applySpec, type Retired } from './reload.ts';
import type { Addresses } from './resolve.ts';
import type { RunningService } from './running-service.ts';

export class Services {
  readonly #running = new Map<string, RunningService>();
  readonly #retired = new Set<RunningService>();
  /** The latest for each backend: one that came back and was removed again has a new deadline. */
  readonly #removals = new WeakMap<Backend, Retired>();

  /** Those that take new flows, by name. */
  get running(): ReadonlyMap<string, RunningService> {
    return this.#running;
  }

  /** The retired ones too. */
  all(): readonly RunningService[] {
    return [...this.#running.values(), ...this.#retired];
  }

  /** Goes over to another specification (see reload.ts). Throws a SluiceError, having changed nothing. */
  change(
    current: InstanceSpec,
    next: InstanceSpec,
    addresses: Addresses,
    create: (spec: ServiceSpec) => RunningService,
  ): Retired {
    return applySpec(current, next, this.#running, addresses, create);
  }

  /** Lets what a change has retired keep its flows for `drainMs`, and ends them then. */
  retire(retired: Retired, clock: Clock, drainMs: number): void {
    const { services, backends } = retired;
    for (const service of services) this.#retired.add(service);
    for (const [, backend] of backends) this.#removals.set(backend, retired);
    clock.after(drainMs, () => {
      for (const service of services) service.end();
      for (const [service, backend] of backends) {
        if (backend.removed && this.#removals.get(backend) === retired) service.endFlows(backend);
      }
    });
  }

  /** Closes the retired ones that have no flows left. */
  sweep(): void {
    for (const service of this.#retired) {
      if (service.flowCount > 0) continue;
      service.close();
      this.#retired.delete(service);
    }
  }

  /** Ends everything at once. */
  close(): void {
    for (const service of this.all()) service.close();
  }

  /** The same where nothing has come of a start: then there are none. */
  abandon(): void {
    this.close();
    this.#running.clear();
  }
}
