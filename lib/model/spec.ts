/**
 * What a person asked for: services, their backends and how they are checked, as plain data.
 * The command line and the configuration file both end here; everything that runs starts here.
 * Two specs that are deeply equal describe the same thing, which is what a reload relies on.
 */

import type { EncapsulationName } from './encapsulation.ts';

export type Protocol = 'tcp' | 'udp';

export type Mode = 'proxy' | 'nat' | 'dsr';

export const balanceNames = [
  'maglev',
  'round-robin',
  'least-connections',
  'two-choices',
  'random',
  'source',
] as const;

export type BalanceName = (typeof balanceNames)[number];

/** What happens to a new client when every backend is down. */
export const allDownPolicies = ['reject', 'drop', 'last-known'] as const;

export type AllDownPolicy = (typeof allDownPolicies)[number];

/** A host (a name or an address without brackets) and a port (0–65535; of a backend of mode dsr, 0 for none). */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** Where a service is reached. An empty host means every address of the machine, IPv4 and IPv6. */
export interface Listen extends HostPort {
  readonly protocol: Protocol;
}

export interface BackendSpec extends HostPort {
  /** The identity across reloads and in every hash; its address unless the file gives another. */
  readonly name: string;
  /** 0–65535; 0 takes no new flows. */
  readonly weight: number;
}

/** When a check runs and how many answers it takes to believe it. */
export interface CheckTiming {
  readonly intervalMs: number;
  /** Between a surprising answer and the next look. */
  readonly fastIntervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive successes that bring a backend up. */
  readonly rise: number;
  /** Consecutive failures that take a backend down. */
  readonly fall: number;
}

/** How a backend is asked whether it is well; `port` overrides the backend's own. */
export type CheckSpec =
  | { readonly type: 'none' }
  | (CheckTiming & { readonly type: 'tcp'; readonly port?: number })
  | (CheckTiming & {
      readonly type: 'http';
      readonly tls: boolean;
      readonly path: string;
      /** The Host header; the backend's own address when absent. */
      readonly host?: string;
      /** Inclusive range of status codes that are well. */
      readonly status: readonly [lowest: number, highest: number];
      /** A substring that the body must contain. */
      readonly body?: string;
      readonly port?: number;
    })
  | (CheckTiming & {
      readonly type: 'udp';
      /** Hexadecimal. */
      readonly send: string;
      /** Hexadecimal prefix of the answer; any answer will do when absent. */
      readonly expect?: string;
      readonly port?: number;
    })
  | (CheckTiming & {
      readonly type: 'expect';
      /** Sent once connected; nothing when absent. */
      readonly send?: string;
      /** A substring of what the backend says. */
      readonly expect: string;
      readonly port?: number;
    })
  | (CheckTiming & {
      readonly type: 'exec';
      /** Run by `sh -c` with SLUICE_HOST, SLUICE_PORT and SLUICE_BACKEND set; exit code 0 is well. */
      readonly command: string;
    });

/** Limits of a terminating proxy. Every time and every table is bounded. */
export interface ProxySpec {
  readonly connectTimeoutMs: number;
  /** Further backends tried before the first byte has passed. */
  readonly retries: number;
  /** A connection on which no byte moved for so long is closed. */
  readonly idleTimeoutMs: number;
  /** The same once one side has sent its FIN. */
  readonly halfCloseTimeoutMs: number;
  /** Connections (or UDP sessions) a backend holds at once; 0 is no limit. */
  readonly maxConnectionsPerBackend: number;
  /** Clients that may wait for a backend to have room. */
  readonly queueLength: number;
  readonly queueTimeoutMs: number;
  readonly udpIdleTimeoutMs: number;
  /** A UDP session ends after so many answers; 0 is never. */
  readonly udpAnswers: number;
  readonly udpMaxSessions: number;
}

/** What becomes of the TCP flows of a backend that goes down. */
export const whenDownPolicies = ['reset', 'drop'] as const;

export type WhenDownPolicy = (typeof whenDownPolicies)[number];

/** How the packets of a service are rewritten. */
export interface NatSpec {
  /**
   * What backends see as the source: an address that this machine has towards them (`auto`), one of these, or the
   * client's own (`none`), for backends that route their answers back through this machine.
   */
  readonly snat: 'auto' | 'none' | readonly string[];
  readonly whenDown: WhenDownPolicy;
}

/** How the packets of a service reach backends that answer clients by themselves. */
export interface DsrSpec {
  readonly encapsulation: EncapsulationName;
  /**
   * What tunnels begin at: an address that this machine has towards each backend (`auto`), or addresses and networks
   * (`10.7.0.0/24`) of which each flow has one.
   */
  readonly outerSource: 'auto' | readonly string[];
}

/** What becomes of packets while nobody decides over them: lost, or on their way as if sluice were not there. */
export const onFailurePolicies = ['drop', 'bypass'] as const;

export type OnFailurePolicy = (typeof onFailurePolicies)[number];

/** The packet path that all services of one mode of an instance share; it stays as it is while it runs. */
export interface PathSpec {
  readonly workers: number;
  /** Flows at once, over all workers. */
  readonly maxFlows: number;
  readonly onFailure: OnFailurePolicy;
  /** The interface that is given the VIPs which this machine does not have; none is when absent. */
  readonly addVip?: string;
  /** Silence after which a flow ends, in milliseconds, by its state; the usual where a state is not there. */
  readonly timeouts: Readonly<Record<string, number>>;
}

export interface NatPathSpec extends PathSpec {
  /** The ports that rewritten packets leave from, both ends included. */
  readonly snatPorts: readonly [first: number, last: number];
}

export interface DsrPathSpec extends PathSpec {
  /** The ports that checks leave from, both ends included: packets from there go to the backend that is checked. */
  readonly probePorts: readonly [first: number, last: number];
  /** New flows that each worker remembers in a second; those beyond are placed all the same, by hash alone. */
  readonly newFlows: number;
}

export interface ServiceSpec {
  /** The identity across reloads; unique within an instance. */
  readonly name: string;
  readonly mode: Mode;
  readonly listen: readonly Listen[];
  readonly balance: BalanceName;
  readonly backends: readonly BackendSpec[];
  readonly check: CheckSpec;
  readonly whenAllDown: AllDownPolicy;
  /** For mode proxy. */
  readonly proxy: ProxySpec;
  /** For mode nat. */
  readonly nat: NatSpec;
  /** For mode dsr. */
  readonly dsr: DsrSpec;
}

/** Everything one running sluice is asked to be. */
export interface InstanceSpec {
  readonly name: string;
  /** Path of the control socket; chosen from the name when absent. */
  readonly control?: string;
  /** Where `/metrics`, `/livez` and `/readyz` are served over TCP, if anywhere. */
  readonly metrics?: HostPort;
  /** How long a stop or a removed backend waits for its connections. */
  readonly drainMs: number;
  /** Seeds the hashes: instances with the same seed place flows alike. 32 hexadecimal digits. */
  readonly hashSeed: string;
  readonly nat: NatPathSpec;
  readonly dsr: DsrPathSpec;
  readonly services: readonly ServiceSpec[];
}

export const defaultCheckTiming: CheckTiming = {
  intervalMs: 1_000,
  fastIntervalMs: 200,
  timeoutMs: 500,
  rise: 2,
  fall: 3,
};

export const defaultProxySpec: ProxySpec = {
  connectTimeoutMs: 2_000,
  retries: 2,
  idleTimeoutMs: 300_000,
  halfCloseTimeoutMs: 60_000,
  maxConnectionsPerBackend: 0,
  queueLength: 1_024,
  queueTimeoutMs: 5_000,
  udpIdleTimeoutMs: 30_000,
  udpAnswers: 0,
  udpMaxSessions: 65_536,
};

export const defaultNatSpec: NatSpec = { snat: 'auto', whenDown: 'reset' };

export const defaultDsrSpec: DsrSpec = { encapsulation: 'gre', outerSource: 'auto' };

const defaultPathSpec: PathSpec = { workers: 1, maxFlows: 262_144, onFailure: 'drop', timeouts: {} };

/** The ports lie above those that Linux gives to its own connections (`ip_local_port_range`). */
export const defaultNatPathSpec: NatPathSpec = { ...defaultPathSpec, snatPorts: [61_000, 65_535] };

/** The ports lie below them. */
export const defaultDsrPathSpec: DsrPathSpec = {
  ...defaultPathSpec,
  probePorts: [26_624, 28_671],
  newFlows: 125_000,
};

export const defaultDrainMs = 10_000;

export const defaultHashSeed = '00000000000000000000000000000000';
