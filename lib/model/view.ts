/**
 * What a running instance says of itself: the JSON documents of the control socket, of `--json` and of the
 * dashboard. Fields are a promise to scripts; new ones may be added, none may change.
 */
import type { LogFields } from './log.ts';
import type { Mode, Protocol } from './spec.ts';

export type BackendState = 'up' | 'down' | 'draining' | 'disabled';

export interface HealthView {
  /** What the last check said: `ok`, or why not (`connection refused`); `unchecked` before the first. */
  readonly last: string;
  /** How long the backend has been in its present health. */
  readonly sinceMs: number;
  /** How long the last check took; null before the first and after one that failed. */
  readonly latencyMs: number | null;
  /** The same of the last few checks, oldest first. */
  readonly checks: readonly (number | null)[];
  /** Checks ever. */
  readonly passed: number;
  readonly failed: number;
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
  /** How many flows can have a source port of their own at once; null where flows keep the one they have. */
  readonly sourcePorts: number | null;
  /** A proxy sees streams: null. */
  readonly packetsIn: number | null;
  readonly packetsOut: number | null;
  /** From clients. */
  readonly bytesIn: number;
  /** To clients; null in direct server return, as are their packets. */
  readonly bytesOut: number | null;
  /** The states that it has been in of late, oldest first; the last is the one that it is in. */
  readonly history: readonly StateChange[];
}

/** When and why a backend came into a state. */
export interface StateChange {
  readonly state: BackendState;
  readonly reason: string;
  readonly agoMs: number;
}

export const flowStates = ['queued', 'connecting', 'established', 'closing'] as const;

export type FlowState = (typeof flowStates)[number];

/** `In` is from the client, `Out` to it; null where the balancer cannot know. */
export interface FlowView {
  readonly protocol: Protocol;
  readonly client: string;
  readonly vip: string;
  readonly backend: string | null;
  readonly service: string;
  readonly state: FlowState;
  /** What the packets of the flow have shown it to be (`syn-received`, `time-wait`, …); absent in mode proxy. */
  readonly trackedState?: string;
  readonly mode: Mode;
  readonly ageMs: number;
  readonly idleMs: number;
  /** A proxy sees a stream, not its packets: null for its TCP flows. */
  readonly packetsIn: number | null;
  readonly packetsOut: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number | null;
  /** Over the last second or so; only where it was asked for. */
  readonly bytesInPerSecond?: number;
  readonly bytesOutPerSecond?: number | null;
}

/** What a question about flows has found. */
export interface FlowsView {
  readonly flows: readonly FlowView[];
  /** All flows that there are of the kind asked for, beyond those shown. */
  readonly matching: number;
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
  /**
   * A proxy sees the streams of TCP, not their packets: null where a service has any. In direct server return nothing
   * is seen of what goes to clients: `packetsOut` and `bytesOut` are null.
   */
  readonly packetsIn: number | null;
  readonly packetsOut: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number | null;
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
  /** Packets that came to the packet path and were for no service, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly reloads: ReloadsView;
}

/** How often the configuration was read again. */
export interface ReloadsView {
  readonly applied: number;
  /** Because something was wrong with it. */
  readonly refused: number;
  /** What became of the last; null before the first. */
  readonly last: { readonly ok: boolean; readonly agoMs: number } | null;
}

/** A packet path as it fares: one for each mode that rewrites packets. */
export interface PathView {
  readonly mode: Mode;
  /** Counts the forwarding tables that were published; those of the last are in force when every worker has them. */
  readonly generation: number;
  /** Flows of which one side only has been seen, by service. */
  readonly halfOpen: Readonly<Record<string, number>>;
  readonly workers: readonly WorkerView[];
}

/** A thread that rewrites packets, its queue and its share of the flows. Counts begin anew with each restart. */
export interface WorkerView {
  readonly worker: number;
  /** How often it had to be replaced. */
  readonly restarts: number;
  /** The tables that it decides by. */
  readonly generation: number;
  readonly flows: number;
  readonly halfOpen: number;
  /** Flows that there is room for. */
  readonly capacity: number;
  /** Flows ended by silence, and to make room for others. */
  readonly expired: number;
  readonly evicted: number;
  readonly queue: QueueView;
}

/** A queue between the kernel and a worker. */
export interface QueueView {
  readonly number: number;
  /** Packets that wait in the kernel, unread or without a verdict; 0 where the kernel does not tell. */
  readonly waiting: number;
  /** Dropped by the kernel: the queue was at its length, or the socket's buffer full. */
  readonly droppedQueueFull: number;
  readonly droppedBufferFull: number;
  readonly packets: number;
  /** System calls that brought packets, and that took verdicts. */
  readonly receives: number;
  readonly sends: number;
  /** Times that the kernel had no room for a message, either way. */
  readonly overruns: number;
  /** Verdicts that the kernel refused, mostly over packets that are gone. */
  readonly refused: number;
  /** Messages that could not be read. */
  readonly malformed: number;
}

/** What all services together have carried in one step; null where no service knows. */
export interface HistoryStep {
  readonly packetsIn: number | null;
  readonly packetsOut: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** New ones. */
  readonly connections: number;
  readonly dropped: number;
}

/** The last few minutes. */
export interface HistoryView {
  /** The length of a step. */
  readonly stepMs: number;
  /** Oldest first. */
  readonly steps: readonly HistoryStep[];
}

/** A line of the log. */
export interface LogEntry {
  /** Rises by one with each entry. */
  readonly sequence: number;
  /** When, by the clock on the wall: milliseconds since 1970. */
  readonly timeMs: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** The latest of the log; older entries are forgotten. */
export interface LogView {
  readonly entries: readonly LogEntry[];
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
