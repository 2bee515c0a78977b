/** What a packet path is asked to do, whatever its mode: addresses and backends as the daemon sees them, as plain data. */
import type { FlowTimeouts } from '../conntrack/states.ts';
import type { AllDownPolicy, BalanceName } from '../model/spec.ts';
import type { Endpoint } from './kernel/description.ts';

/** One backend. With weight 0, or down, it takes no new flows. */
export interface VipBackend {
  readonly name: string;
  /** IPv4 or IPv6, without brackets. */
  readonly address: string;
  /** 0 where a backend gets what clients have sent, whatever the port. */
  readonly port: number;
  readonly weight: number;
  /** As far as is known; or no backend is, and it is among those to be tried then. */
  readonly up: boolean;
}

/** One address of a service: where clients come to, and who takes them. */
export interface Vip extends Endpoint {
  readonly service: string;
  readonly balance: BalanceName;
  /** What becomes of a new client when no backend is up; `reject` answers a SYN by a RST and a datagram by an ICMP error. */
  readonly whenAllDown: AllDownPolicy;
  readonly backends: readonly VipBackend[];
}

/** Fixed while it runs. */
export interface PathSettings {
  /** Of the instance: it names the rules and the journal. */
  readonly name: string;
  /** Where the journals of all instances of the machine lie. */
  readonly directory: string;
  readonly workers: number;
  /** Over all workers. */
  readonly maxFlows: number;
  readonly onFailure: 'drop' | 'bypass';
  /** The interface that VIPs are added to which this machine does not have. */
  readonly addVip: string | undefined;
  /** 32 hexadecimal digits: instances with the same seed place flows alike. */
  readonly hashSeed: string;
  readonly timeouts: FlowTimeouts;
}
