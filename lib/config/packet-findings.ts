/**
 * What would keep a service whose packets are sent on from working, though every word of it is right: addresses that
 * no such packet can go to or come from. Asked of the file as it is written, where hosts may be names, and again when
 * these have become addresses.
 */
import { formatBackend } from '../model/address.ts';
import { ipFamily } from '../model/ip.ts';
import type { BackendSpec, Listen, Mode, ServiceSpec } from '../model/spec.ts';
import type { Finding } from './explain.ts';

export type Path = readonly PropertyKey[];

/** A service and the path to it. */
export interface PlacedService {
  readonly service: ServiceSpec;
  readonly at: Path;
}

/** The services of a mode; those that could not be read are undefined. */
export function servicesOf(services: readonly (ServiceSpec | undefined)[], mode: Mode): PlacedService[] {
  return services.flatMap((service, index) =>
    service?.mode === mode ? [{ service, at: ['services', index] }] : [],
  );
}

/** What is wrong with a VIP by itself. */
export function vipFinding({ host, port }: Listen, path: Path): Finding | undefined {
  if (port === 0) return { message: 'a VIP has no port 0', remedy: 'name the port that clients use', path };
  const unroutable = whyUnroutable(host);
  if (unroutable === undefined) return undefined;
  const remedy = 'use an address of an interface, or mode proxy';
  return { message: `${host} cannot be a VIP: ${unroutable}`, remedy, path };
}

/** What is wrong with a backend by itself. */
export function backendFinding({ host, port }: BackendSpec, path: Path): Finding | undefined {
  const unroutable = whyUnroutable(host);
  if (unroutable === undefined) return undefined;
  return {
    message: `backend ${formatBackend(host, port)} cannot be reached: ${unroutable}`,
    remedy: 'have it listen on an address of an interface, or use mode proxy',
    path,
  };
}

/**
 * What is wrong with the sources that packets to backends leave from, which the key at `path` names: `addresses` are
 * those in it, without the length of a prefix.
 */
export function sourceFindings(
  addresses: readonly string[],
  backends: readonly BackendSpec[],
  path: Path,
): Finding[] {
  const remedy = 'use an address of an interface';
  const findings = addresses.flatMap((address): Finding[] => {
    const unroutable = whyUnroutable(address);
    if (unroutable === undefined) return [];
    return [{ message: `${address} cannot be a source: ${unroutable}`, remedy, path }];
  });
  const families = new Set(backends.map(({ host }) => ipFamily(host)).filter((family) => family !== 0));
  for (const family of families) {
    if (addresses.some((address) => ipFamily(address) === family)) continue;
    findings.push({
      message: `${String(path.at(-1))} has no IPv${family} address for the backends that are IPv${family}`,
      remedy: 'add one, or write auto',
      path,
    });
  }
  return findings;
}

/** Why no packet of another machine can be sent to this address; undefined if one can, or if it is a name. */
export function whyUnroutable(host: string): string | undefined {
  if (/^(127\.|::1$|::ffff:127\.)/.test(host))
    return 'what arrives from outside is never delivered to a loopback address';
  if (host.includes('%') || /^fe[89ab]/i.test(host))
    return ipFamily(host) === 6 ? 'a link-local address is not routed' : undefined;
  if (/^(22[4-9]|23\d)\./.test(host) || /^ff[\da-f]{2}:/i.test(host)) return 'it is a multicast address';
  return undefined;
}
