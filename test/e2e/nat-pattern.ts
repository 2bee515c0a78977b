/** Bytes that repeat in no power of two, so that a part which is lost, doubled or moved shows. */
import { createHash } from 'node:crypto';

const block = Buffer.from(Array.from({ length: 251 * 257 }, (_, at) => (at * 31 + (at >> 8)) & 255));

export function* pattern(bytes: number): Generator<Buffer> {
  for (let left = bytes; left > 0; left -= block.length) {
    yield left < block.length ? block.subarray(0, left) : block;
  }
}

/** In hexadecimal digits. */
export function sha256OfPattern(bytes: number): string {
  const hash = createHash('sha256');
  for (const part of pattern(bytes)) hash.update(part);
  return hash.digest('hex');
}
