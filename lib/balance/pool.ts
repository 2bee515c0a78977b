/**
 * The backends of one service and the choice among them. A pool only places new flows: who has been given a
 * backend keeps it, whatever becomes of the pool, and says so by `claim` and `release`.
 *
 * Candidates for a new flow are the enabled backends that are up. If none is, `last-known` falls back to the one of the
 * enabled that went down last, and to those that went down so shortly before it that it may have been at the same time.
 *
 *     removed ─┐
 *     draining ┤                            ┌ none up, last-known ─┐
 *     disabled ┼─ no ── enabled ── up ── candidates ── tried? full? ── the policy picks
 *     weight 0 ┘
 */
import { type FlowTuple, writeFlowKey, writeSourceKey } from '../hash/flow-key.ts';
import type { Random } from '../model/clock.ts';
import type { AllDownPolicy, BackendSpec, BalanceName } from '../model/spec.ts';
import { type AdminState, Backend } from './backend.ts';
import { createPolicy } from './create-policy.ts';
import { Maglev } from './maglev.ts';
import type { Policy } from './policy.ts';

/** What a reload may change. */
export interface PoolSettings {
  readonly balance: BalanceName;
  readonly whenAllDown: AllDownPolicy;
  /** How far apart checks may find out about backends that go down together. */
  readonly noticeMs: number;
  /** Connections a backend holds at once; 0 is no limit. */
  readonly maxConnections: number;
}

export interface PoolOptions extends PoolSettings {
  /** The key of all hashes, 32 hexadecimal digits. */
  readonly hashSeed: string;
  readonly random: Random;
}

/** What an update did. A backend that moved to another host or port is removed and added. */
export interface PoolUpdate {
  readonly added: readonly Backend[];
  readonly removed: readonly Backend[];
  /** Kept, with another weight. */
  readonly changed: readonly Backend[];
}

const tupleKeys = { flow: writeFlowKey, source: writeSourceKey };

export class BackendPool {
  /**
   * Called when a flow that was told `all-full` or `all-down` may have better luck: a backend has lost a
   * connection, or the candidates or the limit have changed. It may pick and claim.
   */
  onRoom: (() => void) | null = null;

  readonly #hashSeed: string;
  readonly #random: Random;
  #settings: PoolSettings;
  #policy: Policy<FlowTuple, Backend>;
  #backends: Backend[];
  /** Replaced, never changed in place: policies keep it. */
  #candidates: readonly Backend[] = [];
  #fit = 0;
  #epoch = 0;
  /** The policy has not seen `#candidates` yet. A table is built for the next flow, not for each change. */
  #policyIsStale = true;

  constructor(options: PoolOptions, specs: readonly BackendSpec[], nowMs: number) {
    this.#hashSeed = options.hashSeed;
    this.#random = options.random;
    this.#settings = options;
    this.#policy = createPolicy(options.balance, options, tupleKeys);
    this.#backends = specs.map((spec) => new Backend(spec, nowMs));
    this.#refresh();
  }

  /** As configured, in order; behind them the removed ones that still hold connections. */
  get backends(): readonly Backend[] {
    return this.#backends;
  }

  /** Who may be given a new flow: never changed in place. */
  get candidates(): readonly Backend[] {
    return this.#candidates;
  }

  /** How many are enabled and up. The last known, when none is, do not count. */
  get fit(): number {
    return this.#fit;
  }

  /** Flows wait for their own backends, so that one may find room where another does not. */
  get affinity(): boolean {
    return this.#policy.affinity;
  }

  /** Rises whenever something changed that picks depend on, but for load. */
  get epoch(): number {
    return this.#epoch;
  }

  /**
   * The backend for a new flow that has failed on `tried` already. `all-down`: there is no candidate left to
   * try. `all-full`: there is, but without room (with affinity: the flow's own has none); wait for `onRoom`.
   */
  pick(flow: FlowTuple, tried: readonly Backend[]): Backend | 'all-down' | 'all-full' {
    if (!hasUntried(this.#candidates, tried)) return 'all-down';
    return this.#upToDatePolicy().pick(flow, tried, this.#settings.maxConnections) ?? 'all-full';
  }

  /** Where a flow belongs among `candidates` and in the table over them; undefined unless its policy has one. */
  explain(flow: FlowTuple): { readonly slot: number; readonly table: Uint16Array } | undefined {
    const policy = this.#upToDatePolicy();
    return policy instanceof Maglev ? { slot: policy.slotOf(flow), table: policy.table } : undefined;
  }

  /** A flow goes to `backend`, from its connect on. */
  claim(backend: Backend): void {
    backend.live++;
    backend.placed++;
  }

  /** The end of a flow that was claimed. */
  release(backend: Backend): void {
    backend.live--;
    if (!backend.removed) this.onRoom?.();
    else if (backend.live === 0) this.#backends = this.#backends.filter((other) => other !== backend);
  }

  /** What a backend carries, where somebody else keeps count and nobody claims or releases. */
  setLive(backend: Backend, live: number): void {
    backend.live = live;
    if (backend.removed && live === 0) this.#backends = this.#backends.filter((other) => other !== backend);
  }

  /** What the checks have come to believe, and what the last one said. */
  setHealth(backend: Backend, up: boolean, last: string, nowMs: number): void {
    backend.healthLast = last;
    if (backend.up === up) return;
    backend.up = up;
    backend.healthSinceMs = nowMs;
    this.#refresh();
  }

  setAdmin(backend: Backend, admin: AdminState): void {
    if (backend.admin === admin) return;
    backend.admin = admin;
    this.#refresh();
  }

  /** Overrides the configured weight until that changes. */
  setWeight(backend: Backend, weight: number): void {
    if (backend.weight === weight) return;
    backend.weight = weight;
    this.#refresh();
  }

  /**
   * Adopts a new configuration. A backend is the same if its name, host and port are: it keeps its object, and
   * with it health, connections, counters and what a person has set; one that was removed and has not
   * vanished yet comes back. A removed backend takes no new flows and vanishes with its last connection.
   */
  update(specs: readonly BackendSpec[], settings: PoolSettings, nowMs: number): PoolUpdate {
    const added: Backend[] = [];
    const changed: Backend[] = [];
    const configured = specs.map((spec) => {
      const known = this.#backends.find(
        ({ name, host, port }) => name === spec.name && host === spec.host && port === spec.port,
      );
      const backend = known ?? new Backend(spec, nowMs);
      const reweighted = backend.configuredWeight !== spec.weight;
      if (reweighted) {
        backend.configuredWeight = spec.weight;
        backend.weight = spec.weight;
      }
      if (known === undefined || known.removed) added.push(backend);
      else if (reweighted) changed.push(backend);
      backend.removed = false;
      return backend;
    });

    const gone = this.#backends.filter((backend) => !configured.includes(backend));
    const removed = gone.filter((backend) => !backend.removed);
    for (const backend of removed) backend.removed = true;
    this.#backends = [...configured, ...gone.filter((backend) => backend.live > 0)];

    const { balance, whenAllDown, noticeMs, maxConnections } = this.#settings;
    this.#settings = settings;
    if (settings.balance !== balance) {
      this.#policy = createPolicy(
        settings.balance,
        { hashSeed: this.#hashSeed, random: this.#random },
        tupleKeys,
      );
    }
    const sameSettings =
      settings.balance === balance &&
      settings.whenAllDown === whenAllDown &&
      settings.noticeMs === noticeMs &&
      settings.maxConnections === maxConnections;
    if (!sameSettings || added.length + removed.length + changed.length > 0) this.#refresh();
    return { added, removed, changed };
  }

  /**
   * The same pool with backends of its own, to try out what would happen. What a policy remembers of earlier flows is
   * not copied.
   */
  copy(): BackendPool {
    const copy = new BackendPool(
      { ...this.#settings, hashSeed: this.#hashSeed, random: this.#random },
      [],
      0,
    );
    copy.#backends = this.#backends.map((backend) => backend.copy());
    copy.#refresh();
    return copy;
  }

  #upToDatePolicy(): Policy<FlowTuple, Backend> {
    if (this.#policyIsStale) {
      this.#policy.rebuild(this.#candidates);
      this.#policyIsStale = false;
    }
    return this.#policy;
  }

  /** Works out the candidates anew after something that they depend on has changed. */
  #refresh(): void {
    const enabled = this.#backends.filter((backend) => backend.enabled);
    const up = enabled.filter((backend) => backend.up);
    this.#fit = up.length;
    this.#candidates = up.length > 0 ? up : this.#lastKnown(enabled);
    this.#policyIsStale = true;
    this.#epoch++;
    this.onRoom?.();
  }

  /** Who takes new flows of these backends, none of which is up. */
  #lastKnown(enabled: readonly Backend[]): readonly Backend[] {
    const { whenAllDown, noticeMs } = this.#settings;
    if (whenAllDown !== 'last-known') return [];
    const lastMs = enabled.reduce((last, { healthSinceMs }) => Math.max(last, healthSinceMs), -Infinity);
    return enabled.filter(({ healthSinceMs }) => healthSinceMs >= lastMs - noticeMs);
  }
}

function hasUntried(candidates: readonly Backend[], tried: readonly Backend[]): boolean {
  for (const backend of candidates) {
    if (!tried.includes(backend)) return true;
  }
  return false;
}
