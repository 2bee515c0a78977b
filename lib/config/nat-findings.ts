/**
 * What would keep a service of mode nat from working though every word of it is right: addresses that no rewritten
 * packet can go to or come from. Asked of the file as it is written, and again when names have become addresses.
 */
import { formatHostPort, formatListen } from '../model/address.ts';
import { ipFamily } from '../model/ip.ts';
import type { InstanceSpec, NatPathSpec, ServiceSpec } from '../model/spec.ts';
import type { Finding } from './explain.ts';

/** Mistakes in all services of mode nat; those that could not be read are undefined, and hosts may be names. */
export function natFindings(
  services: readonly (ServiceSpec | undefined)[],
  path: NatPathSpec | undefined,
): Finding[] {
  const all = services.flatMap((service, index) =>
    service?.mode === 'nat' ? [{ service, at: ['services', index] }] : [],
  );
  return [
    ...all.flatMap(({ service, at }) => [
      ...vipFindings(service, at, path),
      ...backendFindings(service, at),
      ...snatFindings(service, at),
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

type Path = readonly PropertyKey[];

function vipFindings(service: ServiceSpec, at: Path, path: NatPathSpec | undefined): Finding[] {
  return service.listen.flatMap((listen, index): Finding[] => {
    const place = [...at, 'listen', index];
    const { host, port } = listen;
    const [first, last] = path?.snatPorts ?? [0, 0];
    if (port === 0) {
      return [{ message: 'a VIP has no port 0', remedy: 'name the port that clients use', path: place }];
    }
    if (host === '0.0.0.0' || host === '::') {
      const remedy = `write :${port} for every address of this machine`;
      return [{ message: `${host} is not the address of a VIP`, remedy, path: place }];
    }
    const unroutable = whyUnroutable(host);
    if (unroutable !== undefined) {
      return [
        {
          message: `${host} cannot be a VIP: ${unroutable}`,
          remedy: 'use an address of an interface, or mode proxy',
          path: place,
        },
      ];
    }
    if (port >= first && port <= last && service.nat.snat !== 'none') {
      return [
        {
          message: `port ${port} of the VIP lies in snat-ports ${first}-${last}`,
          remedy: 'choose other snat-ports',
          path: place,
        },
      ];
    }
    return service.backends.some((backend) => mayServe(host, backend.host))
      ? []
      : [
          {
            message: `no backend of ${formatListen(listen)} is IPv${ipFamily(host)}`,
            remedy: 'packets are not translated between IPv4 and IPv6: use mode proxy for that',
            path: place,
          },
        ];
  });
}

function backendFindings(service: ServiceSpec, at: Path): Finding[] {
  return service.backends.flatMap(({ host, port }, index): Finding[] => {
    const place = [...at, 'backends', index];
    const backend = formatHostPort(host, port);
    const unroutable = whyUnroutable(host);
    if (unroutable !== undefined) {
      return [
        {
          message: `backend ${backend} cannot be reached: ${unroutable}`,
          remedy: 'have it listen on an address of an interface, or use mode proxy',
          path: place,
        },
      ];
    }
    if (service.listen.some((listen) => listen.host === host && listen.port === port)) {
      const remedy = 'give the backend another port or address';
      return [{ message: `backend ${backend} is the VIP itself`, remedy, path: place }];
    }
    return service.listen.some((listen) => mayServe(listen.host, host))
      ? []
      : [
          {
            message: `backend ${backend} is IPv${ipFamily(host)} and no VIP of its service is`,
            remedy: 'packets are not translated between IPv4 and IPv6: use mode proxy for that',
            path: place,
          },
        ];
  });
}

function snatFindings({ backends, nat: { snat } }: ServiceSpec, at: Path): Finding[] {
  if (typeof snat === 'string') return [];
  const place = [...at, 'snat'];
  const findings = snat.flatMap((address): Finding[] => {
    const unroutable = whyUnroutable(address);
    const remedy = 'use an address of an interface';
    return unroutable === undefined
      ? []
      : [{ message: `${address} cannot be a source: ${unroutable}`, remedy, path: place }];
  });
  const families = new Set(backends.map(({ host }) => ipFamily(host)).filter((family) => family !== 0));
  for (const family of families) {
    if (snat.some((address) => ipFamily(address) === family)) continue;
    findings.push({
      message: `snat has no IPv${family} address for the backends that are IPv${family}`,
      remedy: 'add one, or write auto',
      path: place,
    });
  }
  return findings;
}

/** One pool of ports serves all, so that whoever has sources has the same. */
function disagreements(all: readonly { readonly service: ServiceSpec; readonly at: Path }[]): Finding[] {
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

/** Why no packet of another machine can be sent to this address; undefined if one can, or if it is a name. */
function whyUnroutable(host: string): string | undefined {
  if (/^(127\.|::1$|::ffff:127\.)/.test(host))
    return 'what arrives from outside is never delivered to a loopback address';
  if (host.includes('%') || /^fe[89ab]/i.test(host))
    return ipFamily(host) === 6 ? 'a link-local address is not routed' : undefined;
  if (/^(22[4-9]|23\d)\./.test(host) || /^ff[\da-f]{2}:/i.test(host)) return 'it is a multicast address';
  return undefined;
}
