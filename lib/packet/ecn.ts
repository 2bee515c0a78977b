/**
 * The traffic class, which tells priority (DSCP, six bits) and congestion (ECN, two bits, RFC 3168), and what a tunnel
 * does to it. Entering, the outer header gets the inner one's whole class (RFC 2983 uniform, RFC 6040 §4.1). Leaving,
 * the inner header keeps its DSCP and hears of the congestion that the outer one met (RFC 6040 §4.2):
 *
 *                │ outer  not-ECT   ECT(0)    ECT(1)    CE
 *   ─────────────┼────────────────────────────────────────────
 *   inner not-ECT│        not-ECT   not-ECT   not-ECT   drop      who cannot be told is told by a loss
 *         ECT(0) │        ECT(0)    ECT(0)    ECT(1)    CE
 *         ECT(1) │        ECT(1)    ECT(1)    ECT(1)    CE
 *         CE     │        CE        CE        CE        CE
 */
import { adjustChecksum, deltaOf } from './checksum.ts';
import { Ipv4 } from './ipv4.ts';

/** The codepoints, as they stand in the lowest bits of the class. */
export const Ecn = { notCapable: 0, capable1: 1, capable0: 2, congested: 3 } as const;

const ecnMask = 3;

/** The traffic class of the IP header at `start`: 8 bits. */
export function trafficClassOf(view: DataView, start: number): number {
  const first = view.getUint16(start);
  return first >> 12 === 6 ? (first >> 4) & 0xff : first & 0xff;
}

/**
 * Tells the IP header at `start` what its outer header, of class `outer`, met on the way. Answers false if the packet
 * has to be dropped instead. Its IPv4 checksum is brought up to date.
 */
export function leaveTunnel(view: DataView, start: number, outer: number): boolean {
  const inner = trafficClassOf(view, start) & ecnMask;
  const met = outer & ecnMask;
  if (inner === Ecn.notCapable) return met !== Ecn.congested;
  if (met === Ecn.congested) setEcn(view, start, Ecn.congested);
  else if (met === Ecn.capable1 && inner === Ecn.capable0) setEcn(view, start, Ecn.capable1);
  return true;
}

function setEcn(view: DataView, start: number, ecn: number): void {
  const before = view.getUint16(start);
  if (before >> 12 === 6) {
    view.setUint16(start, (before & ~(ecnMask << 4)) | (ecn << 4));
    return;
  }
  const after = (before & ~ecnMask) | ecn;
  const field = start + Ipv4.checksum;
  view.setUint16(start, after);
  view.setUint16(field, adjustChecksum(view.getUint16(field), deltaOf(before, after)));
}
