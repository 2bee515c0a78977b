/** What has passed between clients and backends, in numbers. */

/** `In` is from clients, `Out` to them. A super-packet, which the kernel cuts up, counts as one. */
export interface Traffic {
  /** Flows now. */
  readonly flows: number;
  /** Flows ever. */
  readonly opened: number;
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Where nothing has passed yet. */
export const noTraffic: Traffic = {
  flows: 0,
  opened: 0,
  packetsIn: 0,
  packetsOut: 0,
  bytesIn: 0,
  bytesOut: 0,
};

/** Both together. */
export function addTraffic(one: Traffic, other: Traffic): Traffic {
  return {
    flows: one.flows + other.flows,
    opened: one.opened + other.opened,
    packetsIn: one.packetsIn + other.packetsIn,
    packetsOut: one.packetsOut + other.packetsOut,
    bytesIn: one.bytesIn + other.bytesIn,
    bytesOut: one.bytesOut + other.bytesOut,
  };
}
