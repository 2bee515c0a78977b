/** What is to be served on the machine, as far as the doctor has to know: addresses that clients use, and backends. */
import { snatAddressesOf } from '../config/nat-findings.ts';
import type { Endpoint, PortRange } from '../datapath/kernel/description.ts';
import { parseHostPort, parseListen } from '../model/address.ts';
import type { EncapsulationName } from '../model/encapsulation.ts';
import { ipFamily } from '../model/ip.ts';
import type { InstanceSpec, Mode, Protocol, ServiceSpec } from '../model/spec.ts';
import type { BackendView, ServiceView } from '../model/view.ts';

export interface ServedService {
  readonly name: string;
  readonly mode: Mode;
  /** Where clients come to; an empty address stands for every address of the machine. */
  readonly vips: readonly Endpoint[];
  /** The port is 0 where the mode does not rewrite that of the VIP. */
  readonly backends: readonly { readonly address: string; readonly port: number }[];
  /** Whether packets for backends leave as the client's own. */
  readonly keepsClient: boolean;
  /** How packets reach backends in mode dsr; undefined in other modes, and where it is not known. */
  readonly encapsulation: EncapsulationName | undefined;
}

/** What the packet path of a mode is asked to be; what is not known of it is absent. */
export interface PathAsked {
  readonly workers?: number;
  /** The interface that VIPs are put on. */
  readonly addVip?: string | undefined;
  /** Ports of the machine's own addresses that rewritten packets leave from. */
  readonly snatPorts?: PortRange | undefined;
  /** Ports that checks through tunnels leave from. */
  readonly probePorts?: PortRange;
}

/** What a check through a tunnel has said last. */
export interface TunnelSeen {
  readonly vips: readonly string[];
  readonly backend: string;
  /** As in `HealthView`: `ok`, `tunnel dead: no answer`. */
  readonly last: string;
}

export interface Subject {
  readonly services: readonly ServedService[];
  readonly paths: Readonly<Partial<Record<Mode, PathAsked>>>;
  /** Process ids of instances that run already; what they hold is not in anybody's way. */
  readonly pids: readonly number[];
  /** Of those instances. */
  readonly tunnels: readonly TunnelSeen[];
}

/** Nothing is known of what is to be served. */
export const noSubject: Subject = { services: [], paths: {}, pids: [], tunnels: [] };

/** What a configuration asks for, its names looked up by `addresses`, where these instances run already. */
export function subjectOf(
  spec: InstanceSpec,
  addresses: (host: string) => string,
  running: readonly RunningViews[],
): Subject {
  const { nat, dsr } = spec;
  // Addresses that are named are for sluice alone, and so are their ports.
  const snatPorts = snatAddressesOf(spec).length > 0 ? undefined : nat.snatPorts;
  return {
    services: spec.services.map((service) => servedBy(service, addresses)),
    paths: {
      nat: { workers: nat.workers, addVip: nat.addVip, snatPorts },
      dsr: { workers: dsr.workers, addVip: dsr.addVip, probePorts: dsr.probePorts },
    },
    pids: running.map(({ pid }) => pid),
    tunnels: running.flatMap(tunnelsOf),
  };
}

function servedBy(
  { name, mode, listen, backends, nat, dsr }: ServiceSpec,
  addresses: (host: string) => string,
): ServedService {
  return {
    name,
    mode,
    vips: listen.map(({ protocol, host, port }) => ({ protocol, address: addresses(host), port })),
    backends: backends.map(({ host, port }) => ({ address: addresses(host), port })),
    keepsClient: mode === 'nat' && nat.snat === 'none',
    encapsulation: mode === 'dsr' ? dsr.encapsulation : undefined,
  };
}

/** The documents of an instance that runs. */
export interface RunningViews {
  readonly pid: number;
  readonly services: readonly ServiceView[];
  readonly backends: readonly BackendView[];
}

/** What instances serve that run. */
export function subjectOfRunning(running: readonly RunningViews[]): Subject {
  return {
    ...noSubject,
    services: running.flatMap(({ services, backends }) =>
      services.map(({ name, mode, listen }) => ({
        name,
        mode,
        vips: listen.split(',').map((text) => {
          const { protocol, host, port } = parseListen(text);
          return { protocol, address: host, port };
        }),
        backends: backends.filter(({ service }) => service === name).map(({ address }) => placeOf(address)),
        keepsClient: false,
        encapsulation: undefined,
      })),
    ),
    pids: running.map(({ pid }) => pid),
    tunnels: running.flatMap(tunnelsOf),
  };
}

function tunnelsOf({ services, backends }: RunningViews): readonly TunnelSeen[] {
  return services
    .filter(({ mode }) => mode === 'dsr')
    .flatMap(({ name, listen }) => {
      const vips = [...new Set(listen.split(',').map((text) => parseListen(text).host))];
      const own = backends.filter(({ service }) => service === name);
      return own.map(({ address, health: { last } }) => ({
        vips,
        backend: placeOf(address).address,
        last,
      }));
    });
}

/** The address of a backend as it is shown, with a port or without. */
function placeOf(shown: string): { address: string; port: number } {
  if (ipFamily(shown) !== 0) return { address: shown, port: 0 };
  const { host, port } = parseHostPort(shown, 'connect');
  return { address: host, port };
}

/** Pairs of protocol and backend that packets of a service go to. */
export function backendEndpoints({ vips, backends }: ServedService): readonly Endpoint[] {
  const protocols = [...new Set(vips.map(({ protocol }): Protocol => protocol))];
  return protocols.flatMap((protocol) => backends.map((backend) => ({ ...backend, protocol })));
}
