/** What would keep a service of mode dsr from working: see packet-findings.ts. */
import { formatHostPort } from '../model/address.ts';
import { ipFamily } from '../model/ip.ts';
import type { DsrPathSpec, NatPathSpec, ServiceSpec } from '../model/spec.ts';
import type { Finding } from './explain.ts';
import { backendFinding, type Path, servicesOf, sourceFindings, vipFinding } from './packet-findings.ts';

/** The packet paths of an instance, as far as they could be read. */
export interface PathSpecs {
  readonly nat?: NatPathSpec | undefined;
  readonly dsr?: DsrPathSpec | undefined;
}

/** Mistakes in all services of mode dsr; those that could not be read are undefined. */
export function dsrFindings(
  services: readonly (ServiceSpec | undefined)[],
  paths: PathSpecs | undefined,
): Finding[] {
  const all = servicesOf(services, 'dsr');
  return [
    ...all.flatMap(({ service, at }) => [
      ...vipFindings(service, at),
      ...backendFindings(service, at),
      ...outerSourceFindings(service, at),
      ...checkFindings(service, at),
    ]),
    ...(all.length > 0 && servicesOf(services, 'nat').length > 0 ? portFindings(paths) : []),
  ];
}

function vipFindings({ listen }: ServiceSpec, at: Path): Finding[] {
  return listen.flatMap((vip, index): Finding[] => {
    const place = [...at, 'listen', index];
    const finding = vipFinding(vip, place);
    if (finding !== undefined) return [finding];
    if (vip.host !== '' && vip.host !== '0.0.0.0' && vip.host !== '::') return [];
    const message = 'a VIP of mode dsr is one address, which its backends have too';
    return [{ message, remedy: `name it, as in 192.0.2.10:${vip.port}`, path: place }];
  });
}

function backendFindings(service: ServiceSpec, at: Path): Finding[] {
  return service.backends.flatMap((backend, index): Finding[] => {
    const place = [...at, 'backends', index];
    const { host, port } = backend;
    const finding = backendFinding(backend, place);
    if (finding !== undefined) return [finding];
    if (port !== 0) {
      const message = `${formatHostPort(host, port)} has a port, and in mode dsr backends get the VIP's`;
      return [{ message, remedy: `write ${host.includes(':') ? `[${host}]` : host}`, path: place }];
    }
    if (service.listen.some((vip) => vip.host === host)) {
      const message = `backend ${host} is the VIP itself`;
      return [{ message, remedy: 'name an address that the backend has beside the VIP', path: place }];
    }
    if (service.dsr.encapsulation !== 'l2' || !service.listen.some((vip) => isBehindOther(vip.host, host)))
      return [];
    const message = `backend ${host} is IPv4 and a VIP of its service IPv6, which takes a tunnel`;
    return [{ message, remedy: 'name its IPv6 address, or use encap gre', path: place }];
  });
}

/** An IPv4 address cannot be the next hop of an IPv6 packet; the reverse can. */
function isBehindOther(vip: string, backend: string): boolean {
  return ipFamily(vip) === 6 && ipFamily(backend) === 4;
}

function outerSourceFindings({ backends, dsr }: ServiceSpec, at: Path): Finding[] {
  if (dsr.outerSource === 'auto') return [];
  const place = [...at, 'outer-source'];
  if (dsr.encapsulation === 'l2') {
    return [{ message: 'outer-source has no meaning with encap l2', remedy: 'leave it out', path: place }];
  }
  const addresses = dsr.outerSource.map((network) => network.split('/')[0]!);
  return sourceFindings(addresses, backends, place);
}

/** Packets of checks go the way of clients' packets, which is there for the VIPs and their ports alone. */
function checkFindings({ check, listen }: ServiceSpec, at: Path): Finding[] {
  const place = [...at, 'check'];
  if (check.type === 'none' || check.type === 'exec') return [];
  if (check.port !== undefined) {
    const message = 'a check of mode dsr goes through the tunnel to the port of the VIP';
    return [{ message, remedy: 'leave port out, or use exec', path: [...place, 'port'] }];
  }
  const wanted = check.type === 'udp' ? 'udp' : 'tcp';
  if (listen.some(({ protocol }) => protocol === wanted)) return [];
  const to = `goes to a VIP of ${wanted.toUpperCase()}, and the service has none`;
  const message = `a ${check.type} check of mode dsr ${to}`;
  return [{ message, remedy: 'use another check', path: place }];
}

function portFindings(paths: PathSpecs | undefined): Finding[] {
  if (paths?.nat === undefined || paths.dsr === undefined) return [];
  const [firstSnat, lastSnat] = paths.nat.snatPorts;
  const [firstProbe, lastProbe] = paths.dsr.probePorts;
  if (firstSnat > lastProbe || firstProbe > lastSnat) return [];
  const message = `probe-ports ${firstProbe}-${lastProbe} overlap with snat-ports ${firstSnat}-${lastSnat}`;
  return [{ message, remedy: 'choose other probe-ports', path: ['dsr', 'probe-ports'] }];
}
