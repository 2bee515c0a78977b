/** What would keep a service of mode nat from working: see packet-findings.ts. */
import { formatHostPort, formatListen } from '../model/address.ts';
import { ipFamily } from '../model/ip.ts';
import type { InstanceSpec, NatPathSpec, ServiceSpec } from '../model/spec.ts';
import type { Finding } from './explain.ts';
import {
  backendFinding,
  type Path,
  type PlacedService,
  servicesOf,
  sourceFindings,
  vipFinding,
} from './packet-findings.ts';

/** Mistakes in all services of mode nat; those that could not be read are undefined. */
export function natFindings(
  services: readonly (ServiceSpec | undefined)[],
  path: NatPathSpec | undefined,
): Finding[] {
  const all = servicesOf(services, 'nat');
  return [
    ...all.flatMap(({ service, at }) => [
      ...vipFindings(service, at, path),
      ...backendFindings(service, at),
      ...(typeof service.nat.snat === 'string'
        ? []
        : sourceFindings(service.nat.snat, service.backends, [...at, 'snat'])),
    ]),
    ...disagreements(all),
    ...(path === undefined ? [] : pathFindings(path)),
  ];
}

/** The sources that the services of mode nat name, which they have in common; empty for the machine's own. */
export function snatAddressesOf({ services }: Pick<InstanceSpec, 'services'>): readonly string[] {
  const named = services.find(({ mode, nat }) => mode === 'nat' && typeof nat.snat !== 'string');
  return named === undefined ? [] : (named.nat.snat as readonly string[]);
}

function vipFindings(service: ServiceSpec, at: Path, path: NatPathSpec | undefined): Finding[] {
  return service.listen.flatMap((listen, index): Finding[] => {
    const place = [...at, 'listen', index];
    const { host, port } = listen;
    const [first, last] = path?.snatPorts ?? [0, 0];
    if (port !== 0 && (host === '0.0.0.0' || host === '::')) {
      const remedy = `write :${port} for every address of this machine`;
      return [{ message: `${host} is not the address of a VIP`, remedy, path: place }];
    }
    const finding = vipFinding(listen, place);
    if (finding !== undefined) return [finding];
    if (port >= first && port <= last && service.nat.snat !== 'none') {
      const message = `port ${port} of the VIP lies in snat-ports ${first}-${last}`;
      return [{ message, remedy: 'choose other snat-ports', path: place }];
    }
    if (service.backends.some((backend) => mayServe(host, backend.host))) return [];
    const message = `no backend of ${formatListen(listen)} is IPv${ipFamily(host)}`;
    return [{ message, remedy: otherFamily, path: place }];
  });
}

function backendFindings(service: ServiceSpec, at: Path): Finding[] {
  return service.backends.flatMap((backend, index): Finding[] => {
    const place = [...at, 'backends', index];
    const { host, port } = backend;
    const finding = backendFinding(backend, place);
    if (finding !== undefined) return [finding];
    const called = formatHostPort(host, port);
    if (service.listen.some((listen) => listen.host === host && listen.port === port)) {
      const remedy = 'give the backend another port or address';
      return [{ message: `backend ${called} is the VIP itself`, remedy, path: place }];
    }
    if (service.listen.some((listen) => mayServe(listen.host, host))) return [];
    const message = `backend ${called} is IPv${ipFamily(host)} and no VIP of its service is`;
    return [{ message, remedy: otherFamily, path: place }];
  });
}

const otherFamily = 'packets are not translated between IPv4 and IPv6: use mode proxy for that';

/** One pool of ports serves all, so that whoever has sources has the same. */
function disagreements(all: readonly PlacedService[]): Finding[] {
  const rewriting = all.filter(({ service }) => service.nat.snat !== 'none');
  const [first, ...others] = rewriting;
  if (first === undefined) return [];
  const wanted = String(first.service.nat.snat);
  return others
    .filter(({ service }) => String(service.nat.snat) !== wanted)
    .map(({ at }) => ({
      message: `snat differs from that of service ${first.service.name}`,
      remedy: 'give all services the same addresses, or none',
      path: [...at, 'snat'],
    }));
}

function pathFindings({ snatPorts: [first, last], workers }: NatPathSpec): Finding[] {
  if (last - first + 1 >= workers) return [];
  return [
    {
      message: `snat-ports ${first}-${last} are fewer than the ${workers} workers`,
      remedy: 'give each worker one port at least',
      path: ['nat', 'snat-ports'],
    },
  ];
}

/** Names, and VIPs that stand for every address, may turn out to be of either family. */
function mayServe(vip: string, backend: string): boolean {
  const [one, other] = [ipFamily(vip), ipFamily(backend)];
  return one === 0 || other === 0 || one === other;
}
