/**
 * The buffers that streams read into. A stream begins with a small one, so that ten thousand idle
 * connections cost little, and is given a larger one whenever a read fills what it has, up to the size at
 * which a bulk transfer stops gaining. The small ones are kept for the next connections.
 *
 *     4 KiB ── filled ──▶ 16 KiB ── filled ──▶ 64 KiB ── filled ──▶ 256 KiB
 */

const smallestBytes = 4 * 1024;
const largestBytes = 256 * 1024;
const growth = 4;

/** Enough for a burst of short connections; 4 MiB at the most. */
const keptAtMost = 1_024;

const kept: Uint8Array[] = [];

/** A buffer for a stream that has not read yet. */
export function takeReadBuffer(): Uint8Array {
  return kept.pop() ?? Buffer.allocUnsafeSlow(smallestBytes);
}

/** Takes back a buffer that nobody refers to any more. */
export function returnReadBuffer(buffer: Uint8Array): void {
  if (buffer.length === smallestBytes && kept.length < keptAtMost) kept.push(buffer);
}

/** The next larger buffer, or the same one when there is none larger. */
export function largerReadBuffer(buffer: Uint8Array): Uint8Array {
  return buffer.length < largestBytes ? Buffer.allocUnsafeSlow(buffer.length * growth) : buffer;
}
