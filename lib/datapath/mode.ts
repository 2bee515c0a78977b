/**
 * What a mode adds to the packet path, as the main thread holds it. Everything else (queues, workers, rules, journal,
 * readings) is the same for all of them: see queue-datapath.ts.
 */
import type { AddressBook } from '../conntrack/address-book.ts';
import type { Endpoint, MarkedRoute } from './kernel/description.ts';
import type { Selector } from './kernel/selectors.ts';
import type { Assignment } from './lasting-numbers.ts';
import type { Publication } from './publication.ts';
import type { Vip, VipBackend } from './settings.ts';
import type { CommonSettings } from './shard.ts';
import type { WorkerTask } from './worker.ts';

/** What the workers are at. */
export interface Usage {
  /** The oldest generation that any of them decides by; read before the others. */
  readonly takenGeneration: number;
  vipInUse(number: number): boolean;
  endpointInUse(number: number): boolean;
  snatInUse(number: number): boolean;
}

/** What a generation is made under. */
export interface Circumstances extends Usage {
  /** Nobody takes new flows any more. */
  readonly refuse: boolean;
  /** Of the queues that the workers read; no other path of the machine has it. */
  readonly firstQueue: number;
}

/** What is known of an endpoint's number. */
export interface EndpointValue {
  /** The backend as people see it: `10.0.0.1:80`, or `10.0.0.1` where the port stays as it is. */
  readonly text: string;
}

/** One generation of tables, with what the main thread and the machine have to know of it. */
export interface Generation<P extends Publication> {
  readonly publication: P;
  readonly vips: Assignment<Endpoint>;
  readonly endpoints: Assignment<EndpointValue>;
  /** Which packets are to come to the queues, those of retired names included: their flows go on. */
  readonly selectors: readonly Selector[];
  /** Addresses that packets may leave from. */
  readonly sources: readonly string[];
  /** Ways for packets that are given a mark. */
  readonly markedRoutes: readonly MarkedRoute[];
}

/** An address and a port of this machine, for one check. */
export interface ProbeSource {
  readonly address: string;
  readonly port: number;
  /** The check is over. */
  giveBack(): void;
}

export interface PathMode<V extends Vip, P extends Publication> {
  /** What rules and journal are kept under: see kernel/rule-names.ts. */
  readonly holder: string;
  /** The name under which an endpoint is numbered; several VIPs may have it in common. */
  endpointName(vip: V, backend: VipBackend): string;
  /** How many flows an endpoint can have at once by this VIP; null, or absent, where they keep the client's port. */
  sourcePorts?(vip: V, backend: VipBackend): number | null;
  /** Asks the machine about addresses that are new. Rejects with a SluiceError. */
  learn(vips: readonly V[]): Promise<void>;
  /** Asks about all of them again, where that may tell something new. Never rejects. */
  refresh?(): Promise<void>;
  /** The next generation. Throws ERR_SLUICE_TOO_MANY. */
  publish(vips: readonly V[], now: Circumstances): Generation<P>;
  /**
   * Where a check of a backend has to come from for its packets to go the way of clients' packets; undefined if there is
   * no such place. Absent in a mode whose checks go to backends themselves.
   */
  probeFrom?(vip: V, backend: VipBackend): ProbeSource | undefined;
  /** What the numbers in flow rows lead to. */
  bookOf(publication: P): AddressBook;
  /** What a worker is to do, by its number. */
  task(worker: number, common: CommonSettings, publication: P): WorkerTask;
}
