/**
 * How flows lie in memory: one SharedArrayBuffer, `bytesPerFlow` for each, whatever the family of its addresses.
 *
 * What one packet needs stands together in a row of 64 bytes, one cache line, so that a packet of a flow that was
 * not seen for a while waits for memory once and not once per column.
 *
 *   byte  0 ├ client address, 4 words, IPv4 mapped ────────────────────────────────────────────┤
 *        16 ├ client port ─┬─ SNAT port ─┬─ VIP number ─┬─ endpoint number ────────────────────┤
 *        24 ├ state · SNAT number · scales · own ends ┬ last seen (ticks) ──────────────────────┤
 *        32 ├ next byte expected from client ─────────┼ … from backend ─────────────────────────┤
 *        40 ├ window of client ┬ window of backend ───┼ packets in ─────────────────────────────┤
 *        48 ├ packets out ────────────────────────────┼ bytes in, low 32 bits ──────────────────┤
 *        56 ├ bytes out, low 32 bits ─────────────────┼ bytes in, high 16 ┬ bytes out, high 16 ──┤
 *
 * Beside the rows: links of the timer wheels (8 bytes), the tick of creation (4), slots of the key index (16).
 * Row 0 belongs to no flow. A row whose state is `free` means nothing. The rows are the truth; links and index are
 * derived from them and can be built again, which is how a flow table outlives the thread that was writing it.
 */
import type { Links } from './timer-wheel.ts';

/** Time in a flow table is counted in ticks: 32 bits of them last two years. */
export const tickMs = 16;

/** Row fields by the view they are read through: 32-bit, 16-bit and 8-bit positions within a row. */
export const Word = {
  client: 0,
  lastSeen: 7,
  clientNext: 8,
  backendNext: 9,
  packetsIn: 11,
  packetsOut: 12,
  bytesIn: 13,
  bytesOut: 14,
} as const;
export const Half = {
  clientPort: 8,
  snatPort: 9,
  vip: 10,
  endpoint: 11,
  clientWindow: 20,
  backendWindow: 21,
  bytesInHigh: 30,
  bytesOutHigh: 31,
} as const;
/** `ownEnds`: bit 0 if the client is this machine, bit 1 if the backend is. */
export const Byte = { state: 24, snat: 25, scales: 26, ownEnds: 27 } as const;

/** log2 of the row length in each view. */
export const wordShift = 4;
export const halfShift = 5;
export const byteShift = 6;

/** Two keys a flow, and half of the slots empty. */
export const slotsPerFlow = 4;

const rowBytes = 1 << byteShift;

/** All told; what is in the buffer beside the flows does not grow with them. */
export const bytesPerFlow: number = rowBytes + 8 + 4 + slotsPerFlow * 4;

/** What a table is made for. Numbers of VIPs and endpoints are below these. */
export interface FlowTableShape {
  /** Rows, row 0 included: a power of two up to 2^24. */
  readonly capacity: number;
  readonly vips: number;
  readonly endpoints: number;
}

/** Slots of each of the timer wheels, one a class of states; each has a sentinel among the links. */
export const slotsPerWheel = 512;
const sentinels = 3 * slotsPerWheel;

/** Positions in `FlowRows.counts`. */
export const Count = {
  /** Flows now, by class: add one of `FlowClass`. */
  flowsInClass: 0,
  /** Ever opened, ended by timeout, ended to make room. */
  opened: 3,
  expired: 4,
  evicted: 5,
  /** Packets of no flow that were sent on by hash and began none. */
  unremembered: 6,
} as const;
const countWords = 16;

/** Bytes of a buffer for a table of this shape. */
export function flowBufferBytes(shape: FlowTableShape): number {
  return shape.capacity * bytesPerFlow + sentinels * 8 + (countWords + shape.vips + shape.endpoints) * 4;
}

/** The views of one such buffer. Any number of threads may read them; one writes. */
export class FlowRows {
  readonly capacity: number;
  readonly words: Int32Array;
  readonly halves: Uint16Array;
  readonly bytes: Uint8Array;
  /** Ticks, by row. */
  readonly created: Uint32Array;
  readonly slots: Int32Array;
  /** Of the rows, then of the wheels' sentinels. */
  readonly links: Links;
  readonly counts: Uint32Array;
  /** Flows now. */
  readonly flowsOfVip: Uint32Array;
  readonly flowsOfEndpoint: Uint32Array;

  constructor(buffer: SharedArrayBuffer, shape: FlowTableShape) {
    const { capacity } = shape;
    const links = capacity + sentinels;
    let at = 0;
    const next = (bytes: number): number => {
      const here = at;
      at += bytes;
      return here;
    };
    const rows = next(capacity * rowBytes);
    this.capacity = capacity;
    this.words = new Int32Array(buffer, rows, (capacity * rowBytes) / 4);
    this.halves = new Uint16Array(buffer, rows, (capacity * rowBytes) / 2);
    this.bytes = new Uint8Array(buffer, rows, capacity * rowBytes);
    this.slots = new Int32Array(buffer, next(capacity * slotsPerFlow * 4), capacity * slotsPerFlow);
    this.created = new Uint32Array(buffer, next(capacity * 4), capacity);
    this.links = {
      next: new Int32Array(buffer, next(links * 4), links),
      previous: new Int32Array(buffer, next(links * 4), links),
    };
    this.counts = new Uint32Array(buffer, next(countWords * 4), countWords);
    this.flowsOfVip = new Uint32Array(buffer, next(shape.vips * 4), shape.vips);
    this.flowsOfEndpoint = new Uint32Array(buffer, next(shape.endpoints * 4), shape.endpoints);
  }

  /** One of `FlowState`. */
  stateOf(flow: number): number {
    return this.bytes[(flow << byteShift) + Byte.state]!;
  }

  vipOf(flow: number): number {
    return this.halves[(flow << halfShift) + Half.vip]!;
  }

  endpointOf(flow: number): number {
    return this.halves[(flow << halfShift) + Half.endpoint]!;
  }

  /** 0 if the client's own address is shown to the backend. */
  snatOf(flow: number): number {
    return this.bytes[(flow << byteShift) + Byte.snat]!;
  }

  clientPortOf(flow: number): number {
    return this.halves[(flow << halfShift) + Half.clientPort]!;
  }

  /** The port that the backend sees: the client's own when there is no SNAT. */
  snatPortOf(flow: number): number {
    return this.halves[(flow << halfShift) + Half.snatPort]!;
  }

  /** Ticks. */
  lastSeenOf(flow: number): number {
    return this.words[(flow << wordShift) + Word.lastSeen]! >>> 0;
  }
}
