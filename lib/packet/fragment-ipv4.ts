/**
 * Cuts an IPv4 packet up (RFC 791 §3.2), as a router does whose next link is too short for it and that may.
 *
 *   │ header │ data, in pieces of a multiple of 8 bytes, but for the last │
 *   │ header, offset and "more" set, checksum its own │ one piece │          each fragment
 *
 * A packet that is a fragment itself is cut up as well as any. Options that belong to the first fragment alone
 * become padding in the others, so that all headers are of one length.
 */
import { copyBytes } from './bytes.ts';
import { checksumOf } from './checksum.ts';
import { Ipv4, Ipv4Fragment } from './ipv4.ts';

/** Option types (RFC 791 §3.1): both are one byte long; all others carry their length. */
const endOfOptions = 0;
const noOperation = 1;
const copiedBit = 0x80;

/**
 * The most data that a fragment of at most `mtu` bytes carries behind a header of `headerLength`: a multiple of 8, and
 * 0 if there is no room for any.
 */
export function fragmentRoom(mtu: number, headerLength: number): number {
  return Math.max(0, mtu - headerLength) & ~7;
}

/**
 * Writes a fragment of the packet that begins at `start` of `view` with a header of `headerLength`, to `to` at `at`:
 * the `length` bytes of data from `from` on. `isLast`: of the packet. Answers with the fragment's length.
 */
export function writeFragment(
  view: DataView,
  start: number,
  headerLength: number,
  from: number,
  length: number,
  isLast: boolean,
  to: DataView,
  at: number,
): number {
  copyBytes(view, start, to, at, headerLength);
  copyBytes(view, start + headerLength + from, to, at + headerLength, length);
  const before = view.getUint16(start + Ipv4.fragment);
  const more = isLast ? before & Ipv4Fragment.moreFragments : Ipv4Fragment.moreFragments;
  to.setUint16(at + Ipv4.totalLength, headerLength + length);
  to.setUint16(at + Ipv4.fragment, more | ((before & Ipv4Fragment.offset) + (from >> 3)));
  if (from > 0) dropOptions(to, at + Ipv4.minimumLength, at + headerLength);
  to.setUint16(at + Ipv4.checksum, 0);
  to.setUint16(at + Ipv4.checksum, checksumOf(0, to, at, headerLength));
  return headerLength + length;
}

/** Leaves only the options that are to be copied. A malformed one ends the list for whoever reads it, and here. */
function dropOptions(view: DataView, from: number, end: number): void {
  for (let at = from; at < end; ) {
    const type = view.getUint8(at);
    if (type === endOfOptions) return;
    if (type === noOperation) {
      at++;
      continue;
    }
    const length = at + 1 < end ? view.getUint8(at + 1) : 0;
    if (length < 2 || at + length > end) return;
    if ((type & copiedBit) === 0) {
      for (let byte = at; byte < at + length; byte++) view.setUint8(byte, noOperation);
    }
    at += length;
  }
}
