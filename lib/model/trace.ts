/**
 * The way of one flow through an instance, step by step: the document of `sluice trace`. Fields are a promise to
 * scripts, as in view.ts.
 */
import type { BalanceName, Mode, Protocol } from './spec.ts';
import type { BackendState } from './view.ts';

/** What the machine's rules do with a packet that they select. */
export interface TraceRule {
  /** What the rule looks at: `tcp to 192.0.2.10 port 80`. */
  readonly selects: string;
  /** By number; null where a secret of the running process decides, or there is none. */
  readonly worker: number | null;
  readonly workers: number;
  readonly queue: number | null;
  /** `nft`, `iptables`; null where no rule has been made. */
  readonly tool: string | null;
}

/** What is known of the flow because packets of it, or a connection, came before. */
export interface TraceFlow {
  /** As the tracker calls it (`syn-sent`, `udp-stream`, …), or a proxy. */
  readonly state: string;
  /** Whether the packet that was asked about is the client's; else it is an answer to it. */
  readonly fromClient: boolean;
  readonly client: string;
  readonly vip: string;
  /** Null while a proxied client waits for one. */
  readonly backend: string | null;
  /** Who tracks it, by number; null for a proxy. */
  readonly worker: number | null;
  /** The source that the backend sees. */
  readonly source: string | null;
  readonly ageMs: number;
  readonly idleMs: number;
  readonly packetsIn: number | null;
  readonly packetsOut: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number | null;
}

/** Where the policy puts a flow that begins now. */
export interface TracePlacement {
  readonly policy: BalanceName;
  /** Of the Maglev table, where one decides. */
  readonly slot: number | null;
  readonly slots: number | null;
  readonly backend: string | null;
  /** Whether it depends on the flow and the table alone; else on the moment, and another may be next. */
  readonly settled: boolean;
}

export interface TraceCandidate {
  readonly name: string;
  readonly address: string;
  readonly weight: number;
  readonly state: BackendState;
  /** What the last check said. */
  readonly health: string;
  /** Whether it may be given new flows. */
  readonly candidate: boolean;
  /** Of the Maglev table, where one decides. */
  readonly slots: number | null;
}

/** A header field that differs from one side of the balancer to the other; null on the side that lacks it. */
export interface TraceChange {
  readonly field: string;
  /** Offset in the packet of that side, in bytes. */
  readonly offset: { readonly before: number | null; readonly after: number | null };
  readonly length: number;
  readonly before: string | null;
  readonly after: string | null;
}

/** Source, destination and bytes of a packet. */
export interface TracePacket {
  readonly source: string;
  readonly destination: string;
  /** All of it, in hexadecimal. */
  readonly bytes: string;
}

export interface TraceRewriting {
  readonly before: TracePacket;
  /** Null for a packet that goes no further. */
  readonly after: TracePacket | null;
  readonly changes: readonly TraceChange[];
  /** Of the tunnel that `after` goes through. */
  readonly encapsulation: {
    readonly kind: string;
    readonly source: string;
    readonly destination: string;
  } | null;
  /** Where one packet becomes several: those behind the first. */
  readonly further: readonly TracePacket[];
  /** By which the packet is routed, if it was given one. */
  readonly mark: number | null;
  /** Whether the source port is an example, as the flow would be given one when it begins. */
  readonly examplePort: boolean;
}

/**
 * `rewritten`: goes on as `after`. `accept`: goes on as it came. `mark`: the same, with a mark that routes it. `drop`.
 * `hold`: waits for other fragments. `terminate`: a proxy takes the connection. `refuse`: a proxy turns it away.
 */
export type TraceVerdict = 'rewritten' | 'accept' | 'mark' | 'drop' | 'hold' | 'terminate' | 'refuse';

export interface TraceView {
  readonly protocol: Protocol;
  readonly client: string;
  readonly vip: string;
  /** Of the instance, or of the one that a configuration describes. */
  readonly instance: string;
  /** Whether a running instance was asked. */
  readonly running: boolean;
  /** Null where no service takes it. So are the next two. */
  readonly mode: Mode | null;
  readonly service: string | null;
  /** How often what places new flows has changed: the generation of tables, or the epoch of the proxy's pool. */
  readonly epoch: number | null;
  /** For packets. */
  readonly rule: TraceRule | null;
  /** For a proxy: where it listens. */
  readonly listener: string | null;
  readonly flow: TraceFlow | null;
  readonly placement: TracePlacement | null;
  /** Where it goes. */
  readonly backend: string | null;
  readonly candidates: readonly TraceCandidate[];
  readonly rewriting: TraceRewriting | null;
  readonly verdict: TraceVerdict;
  /** Why: the label of the counter that such packets are counted under. */
  readonly reason: string;
}
