/**
 * From one specification to the next without a client noticing: services and backends are known by name,
 * what did not change is not touched. A start is a reload from nothing.
 *
 * All new listeners are bound before anything else happens, so that a port that is taken leaves everything as
 * it was. Only an address that goes from one service to another must be closed before it can be bound again.
 */
import type { Backend } from '../balance/backend.ts';
import { diffInstances } from '../config/diff.ts';
import { formatListen } from '../model/address.ts';
import type { InstanceSpec, Listen } from '../model/spec.ts';
import type { ReloadView } from '../model/view.ts';
import { ProxyService, type Surroundings } from './proxy-service.ts';
import type { Addresses } from './resolve.ts';

export interface ReloadOutcome {
  readonly view: ReloadView;
  /** Take no new flows any more; those they have are the caller's to end. */
  readonly retired: {
    readonly services: readonly ProxyService[];
    readonly backends: readonly (readonly [ProxyService, Backend])[];
  };
}

/** Changes `services` from `current` to `next`. Throws a SluiceError, having changed nothing. */
export function applySpec(
  current: InstanceSpec,
  next: InstanceSpec,
  services: Map<string, ProxyService>,
  addresses: Addresses,
  surroundings: Surroundings,
): ReloadOutcome {
  const diff = diffInstances(current, next);
  const fresh = diff.added.map((spec) => new ProxyService(spec, addresses, surroundings));
  const wanted: [ProxyService, Listen][] = [
    ...fresh.flatMap((service) =>
      service.spec.listen.map((listen): [ProxyService, Listen] => [service, listen]),
    ),
    ...diff.changed.flatMap(([, spec]) =>
      spec.listen.map((listen): [ProxyService, Listen] => [services.get(spec.name)!, listen]),
    ),
  ].filter(([service, listen]) => !service.isBound(listen));
  const held = new Set([...services.values()].flatMap(({ bound }) => bound.map(formatListen)));
  const isHeld = ([, listen]: [ProxyService, Listen]) => held.has(formatListen(listen));

  bindAll(
    wanted.filter((want) => !isHeld(want)),
    addresses,
  );

  const gone = diff.removed.map(({ name }) => services.get(name)!);
  for (const service of gone) {
    services.delete(service.spec.name);
    for (const listen of service.bound) service.unbind(listen);
  }
  const retiredBackends: (readonly [ProxyService, Backend])[] = [];
  for (const [, spec] of diff.changed) {
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
  return {
    view: {
      added: diff.added.map(({ name }) => name),
      changed: diff.changed.map(([, { name }, what]) => `${name} (${what.join(', ')})`),
      removed: diff.removed.map(({ name }) => name),
      unchanged: diff.unchanged.map(({ name }) => name),
    },
    retired: { services: gone, backends: retiredBackends },
  };
}

/** Binds all or none. */
function bindAll(wanted: readonly [ProxyService, Listen][], addresses: Addresses): void {
  const bound: [ProxyService, Listen][] = [];
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
