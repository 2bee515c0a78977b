/** How fast things are that the instance only counts: the difference of two samples over the time between them. */
import type { BackendView, ServiceView } from '../model/view.ts';
import type { Sample } from './state.ts';

export interface Rates {
  /** Bytes a second. */
  readonly inbound: number | undefined;
  /** Undefined too where answers are out of sight. */
  readonly outbound: number | undefined;
  /** New flows a second. */
  readonly opened: number | undefined;
}

const unknown: Rates = { inbound: undefined, outbound: undefined, opened: undefined };

interface Counted {
  readonly bytesIn: number;
  readonly bytesOut: number | null;
  readonly connections: number;
}

/** Of a service; unknown before the second sample. */
export function serviceRates(service: ServiceView, now: Sample, before: Sample | undefined): Rates {
  const earlier = before?.status.services.find(({ name }) => name === service.name);
  return between(earlier, service, now, before);
}

/** Of a backend. */
export function backendRates(backend: BackendView, now: Sample, before: Sample | undefined): Rates {
  const key = backendKey(backend);
  const earlier = before?.backends.find((each) => backendKey(each) === key);
  return between(earlier, backend, now, before);
}

/** What tells a backend from all others. */
export function backendKey({ service, name, address }: BackendView): string {
  return `${service} ${name} ${address}`;
}

/** Drops a second of a service, by reason. */
export function dropRate(
  reason: string,
  now: number,
  earlier: Readonly<Record<string, number>> | undefined,
  seconds: number,
): number | undefined {
  return earlier === undefined ? undefined : Math.max(0, now - (earlier[reason] ?? 0)) / seconds;
}

/** Between two samples; 0 where there is only one. */
export function secondsBetween(now: Sample, before: Sample | undefined): number {
  return before === undefined ? 0 : (now.atMs - before.atMs) / 1_000;
}

function between(
  earlier: Counted | undefined,
  now: Counted,
  sample: Sample,
  before: Sample | undefined,
): Rates {
  const seconds = secondsBetween(sample, before);
  if (earlier === undefined || seconds <= 0) return unknown;
  const rate = (of: (counted: Counted) => number) => Math.max(0, of(now) - of(earlier)) / seconds;
  return {
    inbound: rate(({ bytesIn }) => bytesIn),
    outbound: now.bytesOut === null ? undefined : rate(({ bytesOut }) => bytesOut ?? 0),
    opened: rate(({ connections }) => connections),
  };
}
