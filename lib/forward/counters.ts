/**
 * What went where, and what became of it: counters in a SharedArrayBuffer that one data path writes and any thread
 * reads. Doubles, so that they count exactly up to 2^53.
 *
 *   traffic of a VIP or endpoint   │ flows opened │ packets in │ out │ bytes in │ out │ …│   by number
 *   reasons                        │ one of each `Reason` │                                by VIP number
 *
 * VIP 0 stands for packets that could not be told to belong to any.
 */
import { reasonNames } from './reasons.ts';

/** Positions in a row of traffic; add a `Direction` to `packets` and `bytes`. */
export const Traffic = { opened: 0, packets: 1, bytes: 3 } as const;

const trafficShift = 3;
const trafficColumns = 1 << trafficShift;
const reasonColumns = reasonNames.length;

/** Numbers of VIPs and endpoints are below these. */
export interface CountersShape {
  readonly vips: number;
  readonly endpoints: number;
}

export class Counters {
  readonly vipTraffic: Float64Array;
  readonly endpointTraffic: Float64Array;
  readonly reasons: Float64Array;

  /** Bytes of a buffer for counters of this shape. */
  static bufferBytes({ vips, endpoints }: CountersShape): number {
    return ((vips + endpoints) * trafficColumns + vips * reasonColumns) * 8;
  }

  constructor(buffer: SharedArrayBuffer, { vips, endpoints }: CountersShape) {
    this.vipTraffic = new Float64Array(buffer, 0, vips * trafficColumns);
    this.endpointTraffic = new Float64Array(buffer, this.vipTraffic.byteLength, endpoints * trafficColumns);
    const traffic = this.vipTraffic.byteLength + this.endpointTraffic.byteLength;
    this.reasons = new Float64Array(buffer, traffic, vips * reasonColumns);
  }

  /** A packet of `length` bytes of a flow between these two. */
  packet(vip: number, endpoint: number, direction: number, length: number): void {
    const vipRow = (vip << trafficShift) + direction;
    const endpointRow = (endpoint << trafficShift) + direction;
    this.vipTraffic[vipRow + Traffic.packets]!++;
    this.vipTraffic[vipRow + Traffic.bytes]! += length;
    this.endpointTraffic[endpointRow + Traffic.packets]!++;
    this.endpointTraffic[endpointRow + Traffic.bytes]! += length;
  }

  opened(vip: number, endpoint: number): void {
    this.vipTraffic[vip << trafficShift]!++;
    this.endpointTraffic[endpoint << trafficShift]!++;
  }

  decided(vip: number, reason: number): void {
    this.reasons[vip * reasonColumns + reason]!++;
  }

  /** One traffic counter of a VIP or an endpoint: a position of `Traffic`, with a `Direction` added. */
  traffic(of: 'vip' | 'endpoint', number: number, position: number): number {
    const table = of === 'vip' ? this.vipTraffic : this.endpointTraffic;
    return table[(number << trafficShift) + position]!;
  }

  /** Sets all that is counted under a number to 0; nobody may be counting there. */
  clear(of: 'vip' | 'endpoint', number: number): void {
    const table = of === 'vip' ? this.vipTraffic : this.endpointTraffic;
    table.fill(0, number << trafficShift, (number + 1) << trafficShift);
    if (of === 'vip') this.reasons.fill(0, number * reasonColumns, (number + 1) * reasonColumns);
  }

  /** How often packets to a VIP met this reason. */
  reason(vip: number, reason: number): number {
    return this.reasons[vip * reasonColumns + reason]!;
  }

  /** The same over all VIPs, and packets of none. */
  reasonOverall(reason: number): number {
    let sum = 0;
    for (let at = reason; at < this.reasons.length; at += reasonColumns) sum += this.reasons[at]!;
    return sum;
  }
}
