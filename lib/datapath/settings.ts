/** What the packet path is asked to do: addresses and backends as the daemon sees them, as plain data. */
import type { FlowTimeouts } from '../conntrack/states.ts';
import type { AllDownPolicy, BalanceName, Protocol } from '../model/spec.ts';

/** One backend. With weight 0, or down, it takes no new flows. */
export interface NatBackend {
  readonly name: string;
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly up: boolean;
}

/** Where clients come to. */
export interface NatEndpoint {
  readonly protocol: Protocol;
  readonly address: string;
  readonly port: number;
}

/** One address of a service. Backends of the other family are left out. */
export interface NatVip extends NatEndpoint {
  readonly service: string;
  readonly balance: BalanceName;
  /** Whether backends see an address of the balancer's; else they see the client's, and route answers back here. */
  readonly snat: boolean;
  /** What becomes of the TCP flows of a backend that went down. */
  readonly whenDown: 'reset' | 'drop';
  /** What becomes of a new client when no backend is up; `reject` answers a SYN by a RST. */
  readonly whenAllDown: AllDownPolicy;
  readonly backends: readonly NatBackend[];
}

/** Fixed while it runs. */
export interface NatSettings {
  /** Of the instance: it names the rules and the journal. */
  readonly name: string;
  /** Where the journals of all instances of the machine lie. */
  readonly directory: string;
  readonly workers: number;
  /** Source addresses of rewritten packets; if empty, those that this machine has towards each backend. */
  readonly snatAddresses: readonly string[];
  /** Both ends included. */
  readonly snatPorts: readonly [first: number, last: number];
  /** Over all workers. */
  readonly maxFlows: number;
  readonly onFailure: 'drop' | 'bypass';
  /** The interface that VIPs are added to which this machine does not have. */
  readonly addVip: string | undefined;
  /** 32 hexadecimal digits: instances with the same seed place flows alike. */
  readonly hashSeed: string;
  readonly timeouts: FlowTimeouts;
}
