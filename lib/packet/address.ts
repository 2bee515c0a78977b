/**
 * IP addresses as text and as the four words in which packets and tables hold them (IPv4 mapped, RFC 4291 §2.5.5.2).
 * For configuration, output and tests; nothing here is on the packet path.
 */
import { mappedWord } from './packet.ts';

/** 4 or 6: the family of the address at `at`. */
export function familyOf(words: Int32Array, at: number): 4 | 6 {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === mappedWord ? 4 : 6;
}

/** Writes `text` as four words to `words` at `at`. Answers false, and writes nothing, if it is no address. */
export function writeAddress(text: string, words: Int32Array, at: number): boolean {
  const groups = text.includes(':') ? groupsOfIpv6(text) : groupsOfIpv4(text);
  if (groups === undefined) return false;
  for (let index = 0; index < 4; index += 1) {
    words[at + index] = (groups[2 * index]! << 16) | groups[2 * index + 1]!;
  }
  return true;
}

/** The address at `at` as text, IPv6 as RFC 5952 wants it. */
export function formatAddress(words: Int32Array, at: number): string {
  if (familyOf(words, at) === 4) {
    const word = words[at + 3]!;
    return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`;
  }
  const groups: string[] = [];
  for (const word of words.subarray(at, at + 4)) {
    groups.push((word >>> 16).toString(16), (word & 0xffff).toString(16));
  }
  const { start, length } = longestZeroRun(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= groups.length; index += 1) {
    if (groups[index] === '0') continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}

function groupsOfIpv4(text: string): number[] | undefined {
  const low = dottedQuad(text);
  return low === undefined ? undefined : [0, 0, 0, 0, 0, mappedWord, ...low];
}

/** The two groups that `a.b.c.d` stands for. */
function dottedQuad(text: string): [number, number] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  const [a, b, c, d] = match.slice(1).map(Number) as [number, number, number, number];
  return Math.max(a, b, c, d) > 255 ? undefined : [(a << 8) | b, (c << 8) | d];
}

function groupsOfIpv6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = groupList(halves[0]!, halves.length === 1);
  const tail = halves.length === 2 ? groupList(halves[1]!, true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

/** The groups between colons; only the last of an address may be written as `a.b.c.d`. */
function groupList(text: string, dottedEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const low = dottedEnd && index === parts.length - 1 ? dottedQuad(part) : undefined;
    if (low === undefined) return undefined;
    groups.push(...low);
  }
  return groups;
}
