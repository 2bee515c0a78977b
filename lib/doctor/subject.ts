/** What is to be served on the machine, as far as the doctor has to know: addresses that clients use, and backends. */
import { snatAddressesOf } from '../config/nat-findings.ts';
import type { Endpoint, PortRange } from '../datapath/kernel/description.ts';
import { parseListen } from '../model/address.ts';
import type { InstanceSpec, Mode, Protocol } from '../model/spec.ts';
import type { BackendView, ServiceView } from '../model/view.ts';

export interface ServedService {
  readonly name: string;
  readonly mode: Mode;
  /** Where clients come to; an empty address stands for every address of the machine. */
  readonly vips: readonly Endpoint[];
  /** `port` is that of the VIP where the mode does not rewrite it. */
  readonly backends: readonly { readonly address: string; readonly port: number }[];
  /** Whether packets for backends leave as the client's own. */
  readonly keepsClient: boolean;
}

export interface Subject {
  readonly services: readonly ServedService[];
  /** Ports of the machine's own addresses that packets leave from; undefined where there are none, or not known. */
  readonly snatPorts: PortRange | undefined;
  /** Undefined where it is not known. */
  readonly workers: number | undefined;
  /** The interface that VIPs are put on. */
  readonly addVip: string | undefined;
  /** Process ids of instances that run already; what they hold is not in anybody's way. */
  readonly pids: readonly number[];
}

/** Nothing is known of what is to be served. */
export const noSubject: Subject = {
  services: [],
  snatPorts: undefined,
  workers: undefined,
  addVip: undefined,
  pids: [],
};

/** What a configuration asks for, its names looked up by `addresses`. */
export function subjectOf(
  spec: InstanceSpec,
  addresses: (host: string) => string,
  pids: readonly number[],
): Subject {
  return {
    services: spec.services.map(({ name, mode, listen, backends, nat }) => ({
      name,
      mode,
      vips: listen.map(({ protocol, host, port }) => ({ protocol, address: addresses(host), port })),
      backends: backends.map(({ host, port }) => ({ address: addresses(host), port })),
      keepsClient: mode === 'nat' && nat.snat === 'none',
    })),
    // Addresses that are named are for sluice alone, and so are their ports.
    snatPorts: snatAddressesOf(spec).length > 0 ? undefined : spec.nat.snatPorts,
    workers: spec.nat.workers,
    addVip: spec.nat.addVip,
    pids,
  };
}

/** The documents of an instance that runs. */
export interface RunningViews {
  readonly pid: number;
  readonly services: readonly ServiceView[];
  readonly backends: readonly BackendView[];
}

/** What instances serve that run. */
export function subjectOfRunning(instances: readonly RunningViews[]): Subject {
  return {
    ...noSubject,
    services: instances.flatMap(({ services, backends }) =>
      services.map(({ name, mode, listen }) => ({
        name,
        mode,
        vips: listen.split(',').map((text) => {
          const { protocol, host, port } = parseListen(text);
          return { protocol, address: host, port };
        }),
        backends: backends
          .filter(({ service }) => service === name)
          .map(({ address }) => hostAndPort(address)),
        keepsClient: false,
      })),
    ),
    pids: instances.map(({ pid }) => pid),
  };
}

function hostAndPort(text: string): { address: string; port: number } {
  const { host, port } = parseListen(text);
  return { address: host, port };
}

/** Pairs of protocol and backend that packets of a service go to. */
export function backendEndpoints({ vips, backends }: ServedService): readonly Endpoint[] {
  const protocols = [...new Set(vips.map(({ protocol }): Protocol => protocol))];
  return protocols.flatMap((protocol) => backends.map((backend) => ({ ...backend, protocol })));
}
