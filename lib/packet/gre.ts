/**
 * The GRE header (RFC 2784, with the key and the sequence number of RFC 2890; over IPv6 the same, RFC 7676).
 *
 *    0 1 2 3         5             12  13  15 16                   31
 *   ├─┬─┬─┬─┬─────────┬───────────────┬──────┼───────────────────────┤
 *   │C│0│K│S│ 0 0     │ ignored       │ 0    │ protocol (EtherType)  │  0
 *   ├─┴─┴─┴─┴─────────┴───────────────┴──────┼───────────────────────┤
 *   │ C: checksum of header and payload      │ ignored               │  4
 *   ├────────────────────────────────────────┴───────────────────────┤
 *   │ K: key                                                         │
 *   ├────────────────────────────────────────────────────────────────┤
 *   │ S: sequence number                                             │
 *   └────────────────────────────────────────────────────────────────┘
 * We send the first four bytes alone. What others may add is stepped over: a key and an order mean something only to
 * those who agreed on them, and IP needs neither.
 */
import { addBytes, fold } from './checksum.ts';

/** Field offsets within the header, and the length that it has when it carries nothing optional, in bytes. */
export const Gre = { protocol: 2, headerLength: 4 } as const;

/** The EtherTypes that a GRE header of ours may name. */
export const GrePayload = { ipv4: 0x0800, ipv6: 0x86dd } as const;

const checksumPresent = 0x8000;
const keyPresent = 0x2000;
const sequencePresent = 0x1000;
/** Bits 1, 4 and 5 ask for RFC 1701, which is refused, and so is any other version than 0 (RFC 2784 §2.3). */
const refusedBits = 0x4c07;

/** What `greHeaderLength` answers about a header that is not to be stepped over. */
export const GreFault = {
  /** It is cut off, or of a kind that RFC 2784 has to be discarded. */
  header: -1,
  checksum: -2,
} as const;

/**
 * The length of the header at `at`, whose packet ends at `end`: 4–16 bytes, or a `GreFault`. A checksum, where there
 * is one, is verified over all that follows.
 */
export function greHeaderLength(view: DataView, at: number, end: number): number {
  if (end - at < Gre.headerLength) return GreFault.header;
  const flags = view.getUint16(at);
  if ((flags & refusedBits) !== 0) return GreFault.header;
  let length: number = Gre.headerLength;
  if ((flags & checksumPresent) !== 0) length += 4;
  if ((flags & keyPresent) !== 0) length += 4;
  if ((flags & sequencePresent) !== 0) length += 4;
  if (end - at < length) return GreFault.header;
  if ((flags & checksumPresent) !== 0 && fold(addBytes(0, view, at, end - at)) !== 0xffff) {
    return GreFault.checksum;
  }
  return length;
}
