/**
 * How much a flow has carried: packets in 32 bits and bytes in 48, for each direction, in its row.
 * A super-packet, which the kernel cuts up on its way out, counts as one.
 */
import { type FlowRows, Half, halfShift, Word, wordShift } from './flow-rows.ts';

/** Starts the counters of a row at nothing. */
export function clearTraffic(rows: FlowRows, flow: number): void {
  const word = flow << wordShift;
  const half = flow << halfShift;
  for (let direction = 0; direction < 2; direction++) {
    rows.words[word + Word.packetsIn + direction] = 0;
    rows.words[word + Word.bytesIn + direction] = 0;
    rows.halves[half + Half.bytesInHigh + direction] = 0;
  }
}

/** Counts a packet of `length` bytes in `direction`. */
export function addPacket(rows: FlowRows, flow: number, direction: number, length: number): void {
  const { words } = rows;
  const word = (flow << wordShift) + direction;
  words[word + Word.packetsIn]!++;
  const before = words[word + Word.bytesIn]!;
  const after = (before + length) | 0;
  words[word + Word.bytesIn] = after;
  // Read as signed, the low word carries over where it steps from below zero to zero and up.
  if (before < 0 && after >= 0) rows.halves[(flow << halfShift) + Half.bytesInHigh + direction]!++;
}

/** Packets that a flow has carried in `direction`. */
export function packetsOf(rows: FlowRows, flow: number, direction: number): number {
  return rows.words[(flow << wordShift) + Word.packetsIn + direction]! >>> 0;
}

/** Bytes that a flow has carried in `direction`, IP headers included. */
export function bytesOf(rows: FlowRows, flow: number, direction: number): number {
  const high = rows.halves[(flow << halfShift) + Half.bytesInHigh + direction]!;
  return high * 2 ** 32 + (rows.words[(flow << wordShift) + Word.bytesIn + direction]! >>> 0);
}
