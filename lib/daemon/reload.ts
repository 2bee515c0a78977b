/**
 * From one specification to the next without a client noticing: services and backends are known by name,
 * what did not change is not touched. A start is a reload from nothing.
 *
 * All new listeners are bound before anything else happens, so that a port that is taken leaves everything as
 * it was. Only an address that goes from one service to another must be closed before it can be bound again.
 */
import type { Backend } from '../balance/backend.ts';
import { diffInstances, type ServiceChange } from '../config/diff.ts';
import { formatListen } from '../model/address.ts';
import type { InstanceSpec, Listen, ServiceSpec } from '../model/spec.ts';
import type { ReloadView } from '../model/view.ts';
import type { Addresses } from './resolve.ts';
import type { RunningService } from './running-service.ts';

/** What an instance is from its start to its end. */
const fixedSettings = ['name', 'control', 'metrics', 'hashSeed'] as const satisfies (keyof InstanceSpec)[];

/** Who takes no new flows any more; those they have are the caller's to end. */
export interface Retired {
  readonly services: readonly RunningService[];
  readonly backends: readonly (readonly [RunningService, Backend])[];
}

/** Changes `services` from `current` to `next`. Throws a SluiceError, having changed nothing. */
export function applySpec(
  current: InstanceSpec,
  next: InstanceSpec,
  services: Map<string, RunningService>,
  addresses: Addresses,
  create: (spec: ServiceSpec) => RunningService,
): Retired {
  const diff = diffInstances(current, next);
  const isOther = ([old, spec]: ServiceChange) => old.mode !== spec.mode;
  const changed = diff.changed.filter((change) => !isOther(change));
  // A service of another mode is another one, whatever its name.
  const replaced = diff.changed.filter(isOther);
  const fresh = [...diff.added, ...replaced.map(([, spec]) => spec)].map(create);
  const wanted: [RunningService, Listen][] = [
    ...fresh.flatMap((service) =>
      service.spec.listen.map((listen): [RunningService, Listen] => [service, listen]),
    ),
    ...changed.flatMap(([, spec]) =>
      spec.listen.map((listen): [RunningService, Listen] => [services.get(spec.name)!, listen]),
    ),
  ].filter(([service, listen]) => !service.isBound(listen));
  const held = new Set([...services.values()].flatMap(({ bound }) => bound.map(formatListen)));
  const isHeld = ([, listen]: [RunningService, Listen]) => held.has(formatListen(listen));

  bindAll(
    wanted.filter((want) => !isHeld(want)),
    addresses,
  );

  const gone = [...diff.removed, ...replaced.map(([old]) => old)].map(({ name }) => services.get(name)!);
  for (const service of gone) {
    services.delete(service.spec.name);
    for (const listen of service.bound) service.unbind(listen);
  }
  const retiredBackends: (readonly [RunningService, Backend])[] = [];
  for (const [, spec] of changed) {
    const service = services.get(spec.name)!;
    const kept = new Set(spec.listen.map(formatListen));
    for (const listen of service.bound) if (!kept.has(formatListen(listen))) service.unbind(listen);
    for (const backend of service.update(spec, addresses)) retiredBackends.push([service, backend]);
  }
  for (const service of fresh) {
    services.set(service.spec.name, service);
    service.check();
  }
  bindAll(wanted.filter(isHeld), addresses);
  return { services: gone, backends: retiredBackends };
}

/** The difference between two specifications in the words of `sluice reload`. */
export function summarize(current: InstanceSpec, next: InstanceSpec): ReloadView {
  const { added, changed, removed, unchanged } = diffInstances(current, next);
  return {
    added: added.map(({ name }) => name),
    changed: changed.map(([, { name }, what]) => `${name} (${what.join(', ')})`),
    removed: removed.map(({ name }) => name),
    unchanged: unchanged.map(({ name }) => name),
    needRestart: fixedSettings.filter((key) => JSON.stringify(current[key]) !== JSON.stringify(next[key])),
  };
}

/** Binds all or none. */
function bindAll(wanted: readonly [RunningService, Listen][], addresses: Addresses): void {
  const bound: [RunningService, Listen][] = [];
  try {
    for (const [service, listen] of wanted) {
      service.bind(listen, addresses);
      bound.push([service, listen]);
    }
  } catch (error) {
    for (const [service, listen] of bound) service.unbind(listen);
    throw error;
  }
}
