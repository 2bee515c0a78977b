/**
 * What a running instance says of itself: the JSON documents of the control socket, of `--json` and of the
 * dashboard. Fields are a promise to scripts; new ones may be added, none may change.
 */
import type { Mode, Protocol } from './spec.ts';

export type BackendState = 'up' | 'down' | 'draining' | 'disabled';

export interface HealthView {
  /** What the last check said: `ok`, or why not (`connection refused`); `unchecked` before the first. */
  readonly last: string;
  /** How long the backend has been in its present health. */
  readonly sinceMs: number;
}

export interface BackendView {
  readonly service: string;
  readonly name: string;
  /** As traffic reaches it: `127.0.0.1:9001`, `[fd00::1]:53`. */
  readonly address: string;
  readonly weight: number;
  readonly state: BackendState;
  readonly health: HealthView;
  /** Live now. */
  readonly flows: number;
  /** Ever placed here. */
  readonly connections: number;
  /** Connects that failed or ended in an early reset. */
  readonly failures: number;
  /** From clients. */
  readonly bytesIn: number;
  /** To clients. */
  readonly bytesOut: number;
}

export type FlowState = 'queued' | 'connecting' | 'established' | 'closing';

/** `In` is from the client, `Out` to it; null where the balancer cannot know. */
export interface FlowView {
  readonly protocol: Protocol;
  readonly client: string;
  readonly vip: string;
  readonly backend: string | null;
  readonly service: string;
  readonly state: FlowState;
  readonly mode: Mode;
  readonly ageMs: number;
  readonly idleMs: number;
  /** A proxy sees a stream, not its packets: null for its TCP flows. */
  readonly packetsIn: number | null;
  readonly packetsOut: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number | null;
}

export interface ServiceView {
  readonly name: string;
  readonly mode: Mode;
  /** `tcp://127.0.0.1:8080`, several joined by a comma. */
  readonly listen: string;
  readonly balance: string;
  /** Configured. */
  readonly backends: number;
  /** Fit for new flows. */
  readonly backendsUp: number;
  readonly flows: number;
  readonly queued: number;
  /** Accepted since the start. */
  readonly connections: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Clients turned away, by reason (`all-down`, `queue-full`, …). */
  readonly dropped: Readonly<Record<string, number>>;
}

export interface StatusView {
  readonly name: string;
  readonly version: string;
  readonly pid: number;
  readonly state: 'serving' | 'draining';
  readonly uptimeMs: number;
  readonly services: readonly ServiceView[];
}

/** What a reload did, service by service and backend by backend. */
export interface ReloadView {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
  readonly unchanged: readonly string[];
  /** Settings of the instance itself that differ and stay as they were: only a restart changes them. */
  readonly needRestart: readonly string[];
}
