/**
 * One backend of a running service: what was asked of it, how it fares, and what it carries. The same object
 * lives from the reload that brings it to the last flow it holds, so its counters never go back.
 * Only its pool changes the fields that decide who gets new flows (weight, admin, up, removed, live).
 */
import type { BackendSpec } from '../model/spec.ts';
import type { BackendState } from '../model/view.ts';

/** What a person wants of a backend: new flows, only those it has, or nothing. */
export type AdminState = 'enabled' | 'draining' | 'disabled';

export class Backend {
  readonly name: string;
  readonly host: string;
  readonly port: number;

  /** Where to connect: the host until somebody has resolved it to a literal address. */
  address: string;
  /** In force now; 0 takes no new flows. */
  weight: number;
  /** What the configuration says, which a person may have overridden since. */
  configuredWeight: number;
  admin: AdminState = 'enabled';
  /** Gone from the configuration; stays while it has flows. */
  removed = false;

  /** Optimistic until the first check has spoken. */
  up = true;
  /** What the last check said: `ok`, or why not. */
  healthLast = 'unchecked';
  /** When `up` last changed, on the clock's scale. */
  healthSinceMs: number;

  /** Connections and sessions now. */
  live = 0;
  /** Connections and sessions ever. */
  placed = 0;
  /** Connects that failed or ended in an early reset. */
  failures = 0;
  /** From clients; null where only a stream is seen. */
  packetsIn: number | null = null;
  /** To clients. */
  packetsOut: number | null = null;
  /** From clients. */
  bytesIn = 0;
  /** To clients. */
  bytesOut = 0;
  /** Health checks ever, by what they came to. */
  checksPassed = 0;
  checksFailed = 0;

  constructor(spec: BackendSpec, nowMs: number) {
    this.name = spec.name;
    this.host = spec.host;
    this.port = spec.port;
    this.address = spec.host;
    this.weight = spec.weight;
    this.configuredWeight = spec.weight;
    this.healthSinceMs = nowMs;
  }

  /** Another one that is as this one is now. */
  copy(): Backend {
    const { name, host, port, weight, healthSinceMs } = this;
    return Object.assign(new Backend({ name, host, port, weight }, healthSinceMs), this);
  }

  /** Whether it is meant to take new flows, be it up or not. */
  get enabled(): boolean {
    return this.admin === 'enabled' && this.weight > 0 && !this.removed;
  }

  /**
   * In one word, for people. A removed backend drains whatever its health, which nobody watches any more;
   * of the others, one that is down says so rather than that it drains; weight 0 drains.
   */
  get state(): BackendState {
    if (this.removed) return 'draining';
    if (this.admin === 'disabled') return 'disabled';
    if (!this.up) return 'down';
    return this.enabled ? 'up' : 'draining';
  }
}
