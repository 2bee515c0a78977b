/**
 * A whole balancer with direct server return in memory:
 *
 *   198.51.100.7 ─▶ VIP 1.2.3.4:80 (tcp), :53 (udp)     ┐   ┌─ GRE    ─▶ 10.0.2.11, 10.0.2.12     from 10.0.1.2
 *   2001:db8::7  ─▶ VIP 2001:db8:1::4, the same         ├───┼─ GRE    ─▶ fd00:2::11, fd00:2::12   from fd00:1::2
 *   checks from 10.0.1.2, fd00:1::2, ports 26000–26007  ┘   ├─ IPIP   ─▶ 10.0.2.13, fd00:2::13    from blocks of 16
 *                                                           └─ a mark ─▶ 10.0.2.14
 */
import { type FlowTableShape, flowBufferBytes } from '../../lib/conntrack/flow-rows.ts';
import { FragmentTable } from '../../lib/conntrack/fragment-table.ts';
import { TupleHash } from '../../lib/conntrack/half-siphash.ts';
import { HeldPackets } from '../../lib/conntrack/held-packets.ts';
import { defaultFlowTimeouts } from '../../lib/conntrack/states.ts';
import { TokenBuckets } from '../../lib/conntrack/token-buckets.ts';
import { FlowTracker } from '../../lib/conntrack/tracker.ts';
import { Counters } from '../../lib/forward/counters.ts';
import type { Pick } from '../../lib/forward/decision.ts';
import { dsrForwarder } from '../../lib/forward/dsr.ts';
import { DsrTables, type DsrTablesSpec } from '../../lib/forward/dsr-tables.ts';
import type { Forwarder } from '../../lib/forward/forwarder.ts';
import { FragmentPath } from '../../lib/forward/fragments.ts';
import { Outbox } from '../../lib/forward/outbox.ts';
import { Encapsulation } from '../../lib/packet/encapsulate.ts';
import { batchSize, PacketPath } from './packet-path.ts';

/** What is outside: two backends that are reached by GRE, and one by IP in IP. */
export const outsides = [
  {
    version: 4,
    source: '10.0.1.2',
    backend: '10.0.2.11',
    other: '10.0.2.12',
    ipip: '10.0.2.13',
    block: '10.9.0.16',
    router: '192.0.2.254',
    endpoint: 1,
    otherEndpoint: 2,
    ipipEndpoint: 5,
    overhead: 24,
    firstProbePort: 26_000,
    icmp: { unreachable: 3, tooBig: [3, 4], timeExceeded: 11 },
  },
  {
    version: 6,
    source: 'fd00:1::2',
    backend: 'fd00:2::11',
    other: 'fd00:2::12',
    ipip: 'fd00:2::13',
    block: 'fd09::10',
    router: '2001:db8:ff::fe',
    endpoint: 3,
    otherEndpoint: 4,
    ipipEndpoint: 6,
    overhead: 44,
    firstProbePort: 26_000,
    icmp: { unreachable: 1, tooBig: [2, 0], timeExceeded: 3 },
  },
] as const;

export type Outside = (typeof outsides)[number];

export const l2Endpoint = 7;
export const l2Mark = 0x7001;
export const mtu = 1_500;

export function dsrSpec(): DsrTablesSpec {
  const endpoint = (
    number: number,
    address: string,
    encapsulation: number,
    source: string,
    bits: number,
  ) => ({
    number,
    address,
    encapsulation,
    source,
    sourceVariation: bits,
    mark: number === l2Endpoint ? l2Mark : 0,
    retired: false,
  });
  const { gre, ipip, l2 } = Encapsulation;
  return {
    generation: 1,
    vips: ['1.2.3.4', '2001:db8:1::4'].flatMap((address, family) => [
      { number: 2 * family + 1, address, port: 80, protocol: 6, retired: false, rejectWhenNone: true },
      { number: 2 * family + 2, address, port: 53, protocol: 17, retired: false, rejectWhenNone: true },
    ]),
    endpoints: [
      ...outsides.flatMap(({ endpoint: number, source, backend, other }) => [
        endpoint(number, backend, gre, source, 0),
        endpoint(number + 1, other, gre, source, 0),
      ]),
      ...outsides.map(({ ipipEndpoint, ipip: address, block }) =>
        endpoint(ipipEndpoint, address, ipip, block, 4),
      ),
      endpoint(l2Endpoint, '10.0.2.14', l2, '', 0),
    ],
    endpointDown: new Uint8Array(8),
    endpointMtu: new Uint16Array(8).fill(mtu),
    probes: {
      sources: outsides.map(({ source }) => source),
      firstPort: 26_000,
      endpoints: Uint16Array.of(0, 1, 2, 3, 4, 5, 6, 7),
    },
  };
}

export interface DsrBalancerOptions {
  readonly spec?: DsrTablesSpec;
  readonly shape?: FlowTableShape;
  readonly halfOpenQuota?: number;
  /** Flows that may be remembered at once, and again each second. */
  readonly newFlows?: number;
  readonly pick?: Pick;
  readonly place?: Pick;
  readonly heldPlaces?: number;
  /** Of each outbox. */
  readonly outboxPackets?: number;
  /** Whether datagrams come put together. */
  readonly reassembled?: boolean;
}

export class DsrBalancer extends PacketPath {
  readonly spec: DsrTablesSpec;
  readonly buffer: SharedArrayBuffer;
  readonly tracker: FlowTracker;
  readonly counters: Counters;
  readonly forwarder: Forwarder<DsrTables>;
  readonly outboxes: { readonly ipv4: Outbox; readonly ipv6: Outbox };
  /** What new flows get; change it at will. */
  picks: Pick;
  /** What packets get whose flow is not remembered. */
  places: Pick;

  constructor(options: DsrBalancerOptions = {}) {
    super();
    const shape = options.shape ?? { capacity: 256, vips: 8, endpoints: 8 };
    this.spec = options.spec ?? dsrSpec();
    this.picks = options.pick ?? (() => 1);
    this.places = options.place ?? this.picks;
    this.buffer = new SharedArrayBuffer(flowBufferBytes(shape));
    const tables = new DsrTables(this.spec);
    const trackerOptions = {
      shape,
      key: { low: 1, high: 2 },
      timeouts: defaultFlowTimeouts,
      halfOpenQuota: options.halfOpenQuota ?? 64,
      halfOpenGraceMs: 1_000,
    };
    this.tracker = new FlowTracker(this.buffer, trackerOptions, tables, undefined, this.nowMs);
    this.counters = new Counters(new SharedArrayBuffer(Counters.bufferBytes(shape)), shape);
    const room = options.outboxPackets ?? 64;
    this.outboxes = { ipv4: new Outbox(room, 200_000), ipv6: new Outbox(room, 200_000) };
    const newFlows = options.newFlows ?? 1_000;
    this.forwarder = dsrForwarder({
      tables,
      tracker: this.tracker,
      fragments: new FragmentPath(
        new FragmentTable(64, new TupleHash({ low: 7, high: 11 }), 200),
        new HeldPackets(options.heldPlaces ?? 16, 2048),
        200,
        this.counters,
      ),
      counters: this.counters,
      pick: (vip, packet) => this.picks(vip, packet),
      place: (vip, packet) => this.places(vip, packet),
      newFlows: new TokenBuckets(1, newFlows, newFlows),
      outboxes: this.outboxes,
      udpTimeoutMs: defaultFlowTimeouts['udp-stream'],
      identification: 1,
      reassembled: options.reassembled ?? false,
      batchSize,
    });
  }

  /** What has been put into the outboxes since the last time. */
  sentApart(): Uint8Array[] {
    return [this.outboxes.ipv4, this.outboxes.ipv6].flatMap((outbox) => {
      const packets = Array.from({ length: outbox.count }, (_, index) => {
        const offset = outbox.offset[index]!;
        return outbox.bytes.slice(offset, offset + outbox.length[index]!);
      });
      outbox.clear();
      return packets;
    });
  }
}
