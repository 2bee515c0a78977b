/**
 * What changes from one configuration to the next, service by service. Services and backends are known by their names:
 * the order in which they are written is never a difference.
 */
import { formatListen } from '../model/address.ts';
import type { BackendSpec, InstanceSpec, ServiceSpec } from '../model/spec.ts';

/** A part of a service that can change while its name stays. */
export type ServicePart = Exclude<keyof ServiceSpec, 'name'>;

export type ServiceChange = readonly [current: ServiceSpec, next: ServiceSpec, what: readonly ServicePart[]];

/** Each service of either configuration stands in exactly one of the four. */
export interface InstanceDiff {
  readonly added: readonly ServiceSpec[];
  readonly removed: readonly ServiceSpec[];
  readonly changed: readonly ServiceChange[];
  /** As in the next configuration. */
  readonly unchanged: readonly ServiceSpec[];
}

/** Compares services only; the instance's own settings are the caller's. */
export function diffInstances(current: InstanceSpec, next: InstanceSpec): InstanceDiff {
  const before = new Map(current.services.map((service) => [service.name, service]));
  const added: ServiceSpec[] = [];
  const changed: ServiceChange[] = [];
  const unchanged: ServiceSpec[] = [];
  for (const service of next.services) {
    const old = before.get(service.name);
    before.delete(service.name);
    if (old === undefined) {
      added.push(service);
      continue;
    }
    const what = differingParts(canonical(old), canonical(service));
    if (what.length === 0) unchanged.push(service);
    else changed.push([old, service, what]);
  }
  return { added, removed: [...before.values()], changed, unchanged };
}

/** Backends of a service, told apart as a pool does: one that moved to another host or port is another one. */
export interface BackendDiff {
  readonly added: readonly BackendSpec[];
  readonly removed: readonly BackendSpec[];
  readonly reweighted: readonly (readonly [current: BackendSpec, next: BackendSpec])[];
}

/** Compares the backends of a service. */
export function diffBackends(current: readonly BackendSpec[], next: readonly BackendSpec[]): BackendDiff {
  const isSame = (one: BackendSpec) => (other: BackendSpec) =>
    one.name === other.name && one.host === other.host && one.port === other.port;
  return {
    added: next.filter((backend) => !current.some(isSame(backend))),
    removed: current.filter((backend) => !next.some(isSame(backend))),
    reweighted: current.flatMap((backend) => {
      const after = next.find(isSame(backend));
      return after === undefined || after.weight === backend.weight ? [] : [[backend, after] as const];
    }),
  };
}

function differingParts(one: ServiceSpec, other: ServiceSpec): ServicePart[] {
  const keys = Object.keys(one) as (keyof ServiceSpec)[];
  return keys.filter((key) => key !== 'name').filter((part) => !equal(one[part], other[part]));
}

/** The service with its lists in the one order that makes equal sets equal lists. */
function canonical(service: ServiceSpec): ServiceSpec {
  return {
    ...service,
    listen: service.listen.toSorted((one, other) => compare(formatListen(one), formatListen(other))),
    backends: service.backends.toSorted((one, other) => compare(one.name, other.name)),
  };
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** Deep equality of plain data. */
function equal(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => equal(one[key], other[key]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
