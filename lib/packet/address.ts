/**
 * IP addresses as the four words in which packets and tables hold them: the 16 bytes of `model/ip.ts`, IPv4 mapped,
 * most significant first. For configuration, output and tests; only `familyOf` is fit for the packet path.
 */
import { formatIp, type IpFamily, parseIp } from '../model/ip.ts';
import { mappedWord } from './packet.ts';

const scratch = new Uint8Array(16);
const scratchView = new DataView(scratch.buffer);

/** The family of the address at `at`. */
export function familyOf(words: Int32Array, at: number): IpFamily {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === mappedWord ? 4 : 6;
}

/** Writes `text` as four words to `words` at `at`. Answers false, and writes nothing, if it is no address. */
export function writeAddress(text: string, words: Int32Array, at: number): boolean {
  if (parseIp(text, scratch, 0) === 0) return false;
  for (let index = 0; index < 4; index++) words[at + index] = scratchView.getInt32(index * 4);
  return true;
}

/** The address at `at` as text, in its canonical form. */
export function formatAddress(words: Int32Array, at: number): string {
  for (let index = 0; index < 4; index++) scratchView.setInt32(index * 4, words[at + index]!);
  return formatIp(scratch, 0, familyOf(words, at));
}
