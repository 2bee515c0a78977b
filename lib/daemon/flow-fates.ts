/**
 * What becomes of live flows when an instance goes from one configuration to the next. Nothing moves that can stay:
 *
 *   mode proxy   a flow ends with its backend or service; a UDP session with its listener too
 *   mode nat     packets go to an address, whichever service names it; when none does any more, a UDP flow is placed
 *                anew as long as its VIP is served, and a TCP flow ends
 *   mode dsr     the same, but that a backend is one for each service
 */
import { formatHostPort, formatListen } from '../model/address.ts';
import type { FlowFate } from '../model/plan.ts';
import type { HostPort, InstanceSpec, Mode, Protocol, ServiceSpec } from '../model/spec.ts';
import type { Addresses } from './resolve.ts';
import type { FlowGroup, RunningService } from './running-service.ts';

/** Undefined for flows whose backend or service an earlier reload has taken out already. */
export type Foretell = (group: FlowGroup) => FlowFate | undefined;

/** Knows the fates of flows on the way from what `services` serve now to `next`, whose hosts are at `addresses`. */
export function fatesBetween(
  services: ReadonlyMap<string, RunningService>,
  next: InstanceSpec,
  addresses: Addresses,
): Foretell {
  const after = new Map(next.services.map((service) => [service.name, service]));
  const endpointsBefore = servedEndpoints([...services.values()]);
  const endpointsAfter = wantedEndpoints(next, addresses);
  const vipsAfter = wantedVips(next, addresses);
  const ofProxy: Foretell = (group) => {
    const old = services.get(group.service)?.spec;
    if (old === undefined || !hasBackend(old, group)) return undefined;
    const service = after.get(group.service);
    if (service?.mode !== old.mode || !hasBackend(service, group)) return 'cut';
    const kept = new Set(service.listen.map(formatListen));
    const closed = old.listen.filter((listen) => !kept.has(formatListen(listen)));
    const isClosed = closed.some(
      ({ protocol, host, port }) =>
        protocol === 'udp' && addresses(host) === group.vip?.host && [0, group.vip.port].includes(port),
    );
    return group.protocol === 'udp' && isClosed ? 'cut' : 'stay';
  };
  const ofPackets: Foretell = ({ service, mode, protocol, vip, backend }) => {
    const endpoint = `${scopeOf(mode, service)}${protocol} ${backend!.address}`;
    if (!endpointsBefore.has(endpoint)) return undefined;
    if (endpointsAfter.has(endpoint)) return 'stay';
    const isServed = [vip!, { ...vip!, host: '' }].some((at) => vipsAfter.has(endpointText(protocol, at)));
    return protocol === 'udp' && isServed ? 'move' : 'cut';
  };
  return (group) => (group.mode === 'proxy' ? ofProxy(group) : ofPackets(group));
}

function hasBackend({ backends }: ServiceSpec, { backend }: FlowGroup): boolean {
  if (backend === null) return true;
  return backends.some(
    ({ name, host, port }) => name === backend.name && formatHostPort(host, port) === backend.address,
  );
}

/** Where packets are sent to now. */
function servedEndpoints(services: readonly RunningService[]): ReadonlySet<string> {
  const endpoints = services.flatMap(({ spec, pool }) =>
    pool.backends
      .filter(({ removed }) => !removed)
      .flatMap(({ address, port }) =>
        protocolsOf(spec).map(
          (each) => scopeOf(spec.mode, spec.name) + endpointText(each, { host: address, port }),
        ),
      ),
  );
  return new Set(endpoints);
}

function wantedEndpoints(spec: InstanceSpec, addresses: Addresses): ReadonlySet<string> {
  const endpoints = packetServices(spec).flatMap((service) =>
    service.backends.flatMap(({ host, port }) =>
      protocolsOf(service).map(
        (each) => scopeOf(service.mode, service.name) + endpointText(each, { host: addresses(host), port }),
      ),
    ),
  );
  return new Set(endpoints);
}

function wantedVips(spec: InstanceSpec, addresses: Addresses): ReadonlySet<string> {
  const vips = packetServices(spec).flatMap(({ listen }) =>
    listen.map(({ protocol, host, port }) => endpointText(protocol, { host: addresses(host), port })),
  );
  return new Set(vips);
}

function packetServices({ services }: InstanceSpec): readonly ServiceSpec[] {
  return services.filter(({ mode }) => mode !== 'proxy');
}

function protocolsOf({ listen }: ServiceSpec): readonly Protocol[] {
  return [...new Set(listen.map(({ protocol }) => protocol))];
}

/** Whose backend it is, where that is not everybody's. */
function scopeOf(mode: Mode, service: string): string {
  return mode === 'dsr' ? `${service}: ` : '';
}

/** Without the port where a backend gets what clients have sent, whatever the port. */
function endpointText(protocol: Protocol, { host, port }: HostPort): string {
  return `${protocol} ${port === 0 ? host : formatHostPort(host, port)}`;
}
