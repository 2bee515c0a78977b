/**
 * A whole NAT balancer in memory:
 *
 *   198.51.100.7 ─▶ VIP 1.2.3.4:80 (tcp), :53 (udp) ─▶ 10.0.0.2:9000, 10.0.0.3:9000   by SNAT 10.0.0.1 and fd00::1
 *   2001:db8::7  ─▶ VIP 2001:db8:1::4, the same     ─▶ fd00::2, fd00::3
 *   VIPs on port 81 and 54 keep the client's address.
 */
import { type FlowTableShape, flowBufferBytes } from '../../lib/conntrack/flow-rows.ts';
import { FragmentTable } from '../../lib/conntrack/fragment-table.ts';
import { TupleHash } from '../../lib/conntrack/half-siphash.ts';
import { HeldPackets } from '../../lib/conntrack/held-packets.ts';
import { PortPool } from '../../lib/conntrack/port-pool.ts';
import { defaultFlowTimeouts, type FlowTimeouts } from '../../lib/conntrack/states.ts';
import { FlowTracker } from '../../lib/conntrack/tracker.ts';
import { Counters } from '../../lib/forward/counters.ts';
import type { Pick } from '../../lib/forward/decision.ts';
import type { Forwarder } from '../../lib/forward/forwarder.ts';
import { FragmentPath } from '../../lib/forward/fragments.ts';
import { natForwarder } from '../../lib/forward/nat.ts';
import { ForwardingTables, type TablesSpec } from '../../lib/forward/tables.ts';
import { batchSize, PacketPath } from './packet-path.ts';

export const endpoints = { a4: 1, b4: 2, a6: 3, b6: 4 } as const;

/** The same world in both families: every test runs in each. */
export const families = [
  {
    version: 4,
    client: '198.51.100.7',
    vip: '1.2.3.4',
    snat: '10.0.0.1',
    backend: '10.0.0.2',
    other: '10.0.0.3',
    router: '192.0.2.254',
    endpoint: endpoints.a4,
    otherEndpoint: endpoints.b4,
    firstVip: 1,
    icmp: { echo: 8, reply: 0, unreachable: 3, closed: [3, 3], tooBig: [3, 4], timeExceeded: 11 },
  },
  {
    version: 6,
    client: '2001:db8::7',
    vip: '2001:db8:1::4',
    snat: 'fd00::1',
    backend: 'fd00::2',
    other: 'fd00::3',
    router: '2001:db8:ff::fe',
    endpoint: endpoints.a6,
    otherEndpoint: endpoints.b6,
    firstVip: 5,
    icmp: { echo: 128, reply: 129, unreachable: 1, closed: [1, 4], tooBig: [2, 0], timeExceeded: 3 },
  },
] as const;

export type Family = (typeof families)[number];

export function defaultSpec(): TablesSpec {
  const vip = { retired: false, resetWhenDown: true, rejectWhenNone: true };
  const numbered = (number: number, address: string) => ({ number, address, retired: false });
  return {
    generation: 1,
    vips: ['1.2.3.4', '2001:db8:1::4'].flatMap((address, family) => [
      { ...vip, number: 4 * family + 1, address, port: 80, protocol: 6, snat: true },
      { ...vip, number: 4 * family + 2, address, port: 53, protocol: 17, snat: true },
      { ...vip, number: 4 * family + 3, address, port: 81, protocol: 6, snat: false },
      { ...vip, number: 4 * family + 4, address, port: 54, protocol: 17, snat: false },
    ]),
    endpoints: ['10.0.0.2', '10.0.0.3', 'fd00::2', 'fd00::3'].map((address, index) => ({
      ...numbered(index + 1, address),
      port: 9000,
      snats: [1, 2],
    })),
    snats: [numbered(1, '10.0.0.1'), numbered(2, 'fd00::1')],
    snatPorts: [2000, 2099],
    endpointDown: new Uint8Array(8),
  };
}

export interface BalancerOptions {
  readonly spec?: TablesSpec;
  readonly shape?: FlowTableShape;
  readonly halfOpenQuota?: number;
  readonly halfOpenGraceMs?: number;
  readonly timeouts?: FlowTimeouts;
  readonly pick?: Pick;
  readonly heldPlaces?: number;
  /** In fragments at the same time. */
  readonly datagrams?: number;
}

export class Balancer extends PacketPath {
  readonly spec: TablesSpec;
  readonly shape: FlowTableShape;
  readonly buffer: SharedArrayBuffer;
  readonly tracker: FlowTracker;
  readonly counters: Counters;
  readonly forwarder: Forwarder<ForwardingTables>;
  /** What new flows get; change it at will. */
  picks: Pick;

  constructor(options: BalancerOptions = {}) {
    super();
    this.spec = options.spec ?? defaultSpec();
    this.shape = options.shape ?? { capacity: 256, vips: 16, endpoints: 8 };
    this.buffer = new SharedArrayBuffer(flowBufferBytes(this.shape));
    const tables = new ForwardingTables(this.spec);
    const hash = new TupleHash({ low: 7, high: 11 });
    const [firstPort, lastPort] = this.spec.snatPorts;
    const ports = new PortPool({ firstPort, lastPort, endpoints: 8, addresses: 4, banks: 16 });
    this.picks = options.pick ?? ((_, packet) => (packet.version === 4 ? endpoints.a4 : endpoints.a6));
    this.counters = new Counters(new SharedArrayBuffer(Counters.bufferBytes(this.shape)), this.shape);
    const trackerOptions = {
      shape: this.shape,
      key: { low: 1, high: 2 },
      timeouts: options.timeouts ?? defaultFlowTimeouts,
      halfOpenQuota: options.halfOpenQuota ?? 64,
      halfOpenGraceMs: options.halfOpenGraceMs ?? 1_000,
    };
    this.tracker = new FlowTracker(this.buffer, trackerOptions, tables, ports, this.nowMs);
    const held = new HeldPackets(options.heldPlaces ?? 16, 2048);
    this.forwarder = natForwarder({
      tables,
      tracker: this.tracker,
      fragments: new FragmentPath(
        new FragmentTable(options.datagrams ?? 64, hash, 200),
        held,
        200,
        this.counters,
      ),
      counters: this.counters,
      pick: (vip, packet) => this.picks(vip, packet),
      batchSize,
    });
  }
}
