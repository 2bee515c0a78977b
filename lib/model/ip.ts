/**
 * IP addresses as text and as bytes. As bytes an address always takes 16: IPv6 as it is, IPv4 in its mapped
 * form `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2), so that one table holds both families. Nothing here allocates
 * but the text that is asked for.
 *
 *      0                   10      12                16
 *     +-------------------+-------+-----------------+
 *     | 0 0 0 0 0 0 0 0 0 0 | ff ff |  a   b   c   d  |   IPv4
 *     +-------------------+-------+-----------------+
 */

export type IpFamily = 4 | 6;

const zeroCode = 0x30;
const nineCode = 0x39;
const dotCode = 0x2e;
const colonCode = 0x3a;

/** RFC 4007 §11: what stands behind the `%` names an interface of this machine, or numbers it. */
const zonePattern = /^[\w.:-]+$/;

/**
 * Reads an address into the 16 bytes at `offset` and says its family; 0 is no address, and the bytes are then
 * undefined. Strict: four decimal parts without leading zeros for IPv4, RFC 4291 §2.2 for IPv6 (`::` and
 * an IPv4 tail included). A zone (`fe80::1%eth0`) is accepted and left out.
 */
export function parseIp(text: string, into: Uint8Array, offset: number): 0 | IpFamily {
  if (text.indexOf(':') < 0) {
    into.fill(0, offset, offset + 10);
    into[offset + 10] = into[offset + 11] = 0xff;
    return parseDotted(text, 0, text.length, into, offset + 12) ? 4 : 0;
  }
  const zoneAt = text.indexOf('%');
  if (zoneAt >= 0 && !zonePattern.test(text.slice(zoneAt + 1))) return 0;
  return parseGroups(text, zoneAt < 0 ? text.length : zoneAt, into, offset) ? 6 : 0;
}

/** Writes an address in its canonical form: dotted decimal, or RFC 5952 (lower case, the longest `::`, mapped IPv4 dotted). */
export function formatIp(bytes: Uint8Array, offset: number, family: IpFamily): string {
  return family === 4 ? formatDotted(bytes, offset + 12) : formatGroups(bytes, offset);
}

/** An IPv4 address that a socket of both families has called ::ffff:192.0.2.1, dotted; any other as it is. */
export function unmapped(text: string): string {
  return text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text;
}

const scratch = new Uint8Array(16);

/** The family of an address in text, 0 if it is none. */
export function ipFamily(text: string): 0 | IpFamily {
  return parseIp(text, scratch, 0);
}

/** The canonical form of an address in text, its zone kept; undefined if it is no address. */
export function canonicalIp(text: string): string | undefined {
  const family = parseIp(text, scratch, 0);
  if (family === 0) return undefined;
  const zoneAt = text.indexOf('%');
  return formatIp(scratch, 0, family) + (zoneAt < 0 ? '' : text.slice(zoneAt));
}

function parseDotted(text: string, start: number, end: number, into: Uint8Array, offset: number): boolean {
  let at = start;
  for (let part = 0; part < 4; part++) {
    if (part > 0 && text.charCodeAt(at++) !== dotCode) return false;
    const first = at;
    let value = 0;
    while (at < end && at - first < 4) {
      const code = text.charCodeAt(at);
      if (code < zeroCode || code > nineCode) break;
      value = value * 10 + code - zeroCode;
      at++;
    }
    if (at === first || value > 255) return false;
    if (at - first > 1 && text.charCodeAt(first) === zeroCode) return false;
    into[offset + part] = value;
  }
  return at === end;
}

function parseGroups(text: string, end: number, into: Uint8Array, offset: number): boolean {
  let at = 0;
  let written = 0;
  // How many bytes stood before the `::`.
  let gap = -1;
  if (text.startsWith('::')) {
    gap = 0;
    at = 2;
  }
  while (at < end) {
    const first = at;
    let value = 0;
    while (at < end && at - first < 5) {
      const digit = hexDigit(text.charCodeAt(at));
      if (digit < 0) break;
      value = (value << 4) | digit;
      at++;
    }
    if (at < end && text.charCodeAt(at) === dotCode) {
      if (written > 12 || !parseDotted(text, first, end, into, offset + written)) return false;
      written += 4;
      break;
    }
    if (at === first || at - first > 4 || written === 16) return false;
    into[offset + written] = value >> 8;
    into[offset + written + 1] = value & 0xff;
    written += 2;
    if (at === end) break;
    if (text.charCodeAt(at++) !== colonCode || at === end) return false;
    if (text.charCodeAt(at) === colonCode) {
      if (gap >= 0) return false;
      gap = written;
      at++;
    }
  }
  if (gap < 0) return written === 16;
  // `::` stands for one group at least.
  if (written > 14) return false;
  const tail = offset + 16 - (written - gap);
  into.copyWithin(tail, offset + gap, offset + written);
  into.fill(0, offset + gap, tail);
  return true;
}

function hexDigit(code: number): number {
  if (code >= zeroCode && code <= nineCode) return code - zeroCode;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function formatDotted(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`;
}

function formatGroups(bytes: Uint8Array, offset: number): string {
  if (isMapped(bytes, offset)) return `::ffff:${formatDotted(bytes, offset + 12)}`;
  let gapStart = -1;
  // RFC 5952 §4.2.2: a single group of zeros is written out; §4.2.3: the first of equally long runs is shortened.
  let gapLength = 1;
  for (let group = 0, run = 0; group < 8; group++) {
    run = bytes[offset + 2 * group] === 0 && bytes[offset + 2 * group + 1] === 0 ? run + 1 : 0;
    if (run > gapLength) {
      gapLength = run;
      gapStart = group - run + 1;
    }
  }
  let text = '';
  for (let group = 0; group < 8; group++) {
    if (group === gapStart) {
      text += '::';
      group += gapLength - 1;
      continue;
    }
    if (text !== '' && !text.endsWith(':')) text += ':';
    text += ((bytes[offset + 2 * group]! << 8) | bytes[offset + 2 * group + 1]!).toString(16);
  }
  return text;
}

function isMapped(bytes: Uint8Array, offset: number): boolean {
  for (let index = 0; index < 10; index++) if (bytes[offset + index] !== 0) return false;
  return bytes[offset + 10] === 0xff && bytes[offset + 11] === 0xff;
}
