/** What an instance, a reload and the views know of a service that runs, whatever its mode. */
import type { Backend } from '../balance/backend.ts';
import type { BackendPool } from '../balance/pool.ts';
import type { Clock, Random } from '../model/clock.ts';
import type { FlowQuery } from '../model/flow-query.ts';
import type { Log } from '../model/log.ts';
import type { HostPort, Listen, Mode, Protocol, ServiceSpec } from '../model/spec.ts';
import type { FlowsView, FlowView, ServiceView } from '../model/view.ts';
import type { Addresses } from './resolve.ts';

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly hashSeed: string;
}

/** Live flows of a service between the same two ends. */
export interface FlowGroup {
  readonly service: string;
  readonly mode: Mode;
  readonly protocol: Protocol;
  /** Where the clients came to, as an address; null where every flow would have to be asked. */
  readonly vip: HostPort | null;
  /** As it is shown, and by name where flows are bound to that; null for those that wait for one. */
  readonly backend: { readonly address: string; readonly name?: string } | null;
  readonly flows: number;
  readonly examples: readonly FlowView[];
}

/** Whoever holds flows; several services may have one in common. */
export interface FlowSource {
  flows(query: FlowQuery): FlowsView;
  /** All flows by where they go, with up to `examples` of each. */
  groups(examples: number): readonly FlowGroup[];
}

export interface RunningService {
  readonly spec: ServiceSpec;
  readonly pool: BackendPool;
  readonly flowSource: FlowSource;
  /** Flows that a stop has to wait for. */
  readonly flowCount: number;
  /** The time of its last tick, on the clock's scale. */
  readonly nowMs: number;
  /** Where it takes clients, as it was asked for. */
  readonly bound: readonly Listen[];
  isBound(listen: Listen): boolean;
  /** Begins to take clients at one more address. Throws a SluiceError. */
  bind(listen: Listen, addresses: Addresses): void;
  /** Gives an address up. Flows that can go on do. */
  unbind(listen: Listen): void;
  /** Takes no new clients. */
  refuse(): void;
  /** How long the last few checks of a backend took, oldest first; null where one failed. */
  checksOf(backend: Backend): readonly (number | null)[];
  /** How many flows of a backend can have a source port of their own at once; null where flows keep theirs. */
  sourcePortsOf(backend: Backend): number | null;
  /** Begins to check the backends. */
  check(): void;
  /**
   * Adopts a new specification, but for its listeners. Flows stay where they are. Returns the backends that
   * were removed: they take no new flows, and whoever calls ends those they have.
   */
  update(spec: ServiceSpec, addresses: Addresses): readonly Backend[];
  /** Moves the service's clock and lets timeouts happen. */
  tick(): void;
  /** Ends the flows of one backend. */
  endFlows(backend: Backend): void;
  /** Ends all flows of a service that is no more: soon there are none, and it can be closed. */
  end(): void;
  /** Ends everything at once. */
  close(): void;
  view(): ServiceView;
}
