/**
 * What the flows of one proxied service share: its backends, its limits, its counters and a coarse clock.
 * The listeners of a service, TCP and UDP, have one context between them.
 */
import type { Backend } from '../balance/backend.ts';
import type { BackendPool } from '../balance/pool.ts';
import type { Log } from '../model/log.ts';
import type { AllDownPolicy, ProxySpec } from '../model/spec.ts';

/** Why a client, or a datagram of one, was not served. Names are labels of a metric. */
export const dropReasons = [
  'all-down',
  'all-full',
  'connect-failed',
  'own-resources',
  'queue-full',
  'queue-timeout',
  'table-full',
  'send-queue-full',
  'send-failed',
] as const;

export type DropReason = (typeof dropReasons)[number];

/** What traffic has shown about a backend, for the checks to weigh. To accept a connection proves nothing yet. */
export interface Observer {
  /** It has sent something, or has finished in order. */
  answered(backend: Backend): void;
  failed(backend: Backend, reason: string): void;
}

export interface ProxyContextOptions {
  readonly service: string;
  readonly pool: BackendPool;
  readonly limits: ProxySpec;
  readonly whenAllDown: AllDownPolicy;
  readonly observer: Observer;
  readonly log: Log;
  readonly nowMs: number;
}

export class ProxyContext {
  readonly service: string;
  readonly pool: BackendPool;
  readonly observer: Observer;
  readonly log: Log;
  /** A reload replaces these two; live flows follow. */
  limits: ProxySpec;
  whenAllDown: AllDownPolicy;

  /** The time at the last tick: fine enough for ages and timeouts, and free to read. */
  nowMs: number;

  connections = 0;
  /** Of UDP. */
  datagramsIn = 0;
  datagramsOut = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly dropped: Record<DropReason, number>;

  constructor(options: ProxyContextOptions) {
    this.service = options.service;
    this.pool = options.pool;
    this.observer = options.observer;
    this.log = options.log;
    this.limits = options.limits;
    this.whenAllDown = options.whenAllDown;
    this.nowMs = options.nowMs;
    this.dropped = Object.fromEntries(dropReasons.map((reason) => [reason, 0])) as Record<DropReason, number>;
  }

  countIn(backend: Backend, bytes: number): void {
    this.bytesIn += bytes;
    backend.bytesIn += bytes;
  }

  countOut(backend: Backend, bytes: number): void {
    this.bytesOut += bytes;
    backend.bytesOut += bytes;
  }

  drop(reason: DropReason): void {
    this.dropped[reason]++;
  }

  /** A backend refused, timed out or broke off before it said anything. */
  backendFailed(backend: Backend, reason: string): void {
    backend.failures++;
    this.observer.failed(backend, reason);
  }
}

/** How often the listeners of a service look at the clock: the precision of its timeouts. */
export const tickMs = 200;
