/**
 * The Internet checksum: from scratch (RFC 1071), and by what changed (RFC 1624).
 *
 * Three quantities, never to be mixed up:
 *   sum       an ordinary integer, sixteen-bit words added up and not folded yet (below 2^31)
 *   checksum  what stands in a header: the complement of the folded sum
 *   delta     a sum of `~old + new` over changed words: what turns the old sum into the new one
 */

/** Adds the sixteen-bit words of `length` bytes to `sum`; an odd last byte is padded with zero (RFC 1071 §4.1). */
export function addBytes(sum: number, view: DataView, offset: number, length: number): number {
  const even = offset + (length & ~1);
  let total = sum;
  for (let at = offset; at < even; at += 2) {
    total += view.getUint16(at);
  }
  return (length & 1) === 1 ? total + (view.getUint8(even) << 8) : total;
}

/** Adds `count` 32-bit words from `words`, beginning at `at`, as sixteen-bit halves. */
export function addWords(sum: number, words: Int32Array, at: number, count: number): number {
  let total = sum;
  for (let index = at; index < at + count; index++) {
    const word = words[index]!;
    total += (word >>> 16) + (word & 0xffff);
  }
  return total;
}

/** Folds a sum into sixteen bits, carries added back in (one's complement). */
export function fold(sum: number): number {
  const once = (sum >>> 16) + (sum & 0xffff);
  return (once + (once >>> 16)) & 0xffff;
}

/** The checksum of `length` bytes on top of `sum`, for instance a pseudo-header's. */
export function checksumOf(sum: number, view: DataView, offset: number, length: number): number {
  return ~fold(addBytes(sum, view, offset, length)) & 0xffff;
}

/**
 * The sum of the pseudo-header that TCP, UDP and ICMPv6 checksums cover (RFC 9293 §3.1, RFC 8200 §8.1).
 * `words` holds source and destination as in `Packet.words`; a mapped prefix is left out, as IPv4 demands.
 */
export function pseudoHeaderSum(
  words: Int32Array,
  version: number,
  protocol: number,
  length: number,
): number {
  const addresses =
    version === 4 ? addWords(addWords(0, words, 3, 1), words, 7, 1) : addWords(0, words, 0, 8);
  return addresses + protocol + (length >>> 16) + (length & 0xffff);
}

/** The delta of one sixteen-bit word. */
export function deltaOf(before: number, after: number): number {
  return (~before & 0xffff) + after;
}

/** The delta of `count` 32-bit words of `before` that become those of `after`. */
export function deltaOfWords(
  before: Int32Array,
  beforeAt: number,
  after: Int32Array,
  afterAt: number,
  count: number,
): number {
  let delta = 0;
  for (let index = 0; index < count; index++) {
    const old = ~before[beforeAt + index]!;
    const word = after[afterAt + index]!;
    delta += (old >>> 16) + (old & 0xffff) + (word >>> 16) + (word & 0xffff);
  }
  return delta;
}

/** The checksum after a change: `~(~checksum + delta)`, RFC 1624 equation 3. */
export function adjustChecksum(checksum: number, delta: number): number {
  return ~fold((~checksum & 0xffff) + delta) & 0xffff;
}

/**
 * The same for a checksum field that hardware or the kernel is still to complete: it holds the folded
 * pseudo-header sum itself, not its complement, and only addresses belong in `delta`.
 */
export function adjustPartialSum(partial: number, delta: number): number {
  return fold(partial + delta);
}
