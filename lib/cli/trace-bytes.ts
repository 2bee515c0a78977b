/**
 * A packet before and after, byte by byte: lines of sixteen, one above the other where they differ, and what has changed
 * in them by name. What an outer header adds stands in front of what was there before.
 *
 *     before   0  45 00 00 28 00 00 40 00 40 06 4e 5c c6 33 64 07
 *     after       45 00 00 28 00 00 40 00 40 06 5d 4f 0a 01 00 01
 *                                               ^^ ^^ ^^ ^^ ^^ ^^
 *                 header checksum 0x4e5c → 0x5d4f
 *                 source address 198.51.100.7 → 10.1.0.1
 *              32  50 02 ff ff 5d b4 00 00
 */
import type { TraceChange, TraceRewriting } from '../model/trace.ts';
import type { Style } from './style.ts';

const bytesPerLine = 16;

/** The lines; only those of `before` for a packet that goes no further. */
export function byteLines({ before, after, changes }: TraceRewriting, style: Style): string[] {
  const was = bytesOf(before.bytes);
  if (after === null) {
    return chunks(was).map((line, index) =>
      byteLine(index === 0 ? 'packet' : '', index * bytesPerLine, line, style),
    );
  }
  const is = bytesOf(after.bytes);
  // What is encapsulated has moved to the end.
  const added = Math.max(0, is.length - was.length);
  const shifted = [...new Array<string>(added).fill('  '), ...was];
  return chunks(is).flatMap((line, index) => {
    const offset = index * bytesPerLine;
    const old = shifted.slice(offset, offset + bytesPerLine);
    if (line.join() === old.join()) return [byteLine('', offset, line, style)];
    const names = changes.filter((change) => begins(change, offset)).map(changeLine);
    // Nothing stood there before.
    if (old.every((byte) => byte === '  ')) return [byteLine('after', offset, line, style), ...names];
    const marks = line.map((byte, place) => (byte === old[place] ? '  ' : '^^'));
    return [
      byteLine('before', offset, old, style),
      byteLine('after', undefined, line, style),
      `${' '.repeat(margin)}${style.yellow(marks.join(' ').trimEnd())}`,
      ...names,
    ];
  });
}

const labelWidth = 9;
const offsetWidth = 4;
const margin = labelWidth + offsetWidth + 2;

function byteLine(label: string, offset: number | undefined, bytes: readonly string[], style: Style): string {
  const place = String(offset ?? '').padStart(offsetWidth);
  return `${label.padEnd(labelWidth)}${style.dim(place)}  ${bytes.join(' ')}`.trimEnd();
}

function begins({ offset }: TraceChange, line: number): boolean {
  return offset.after !== null && offset.after >= line && offset.after < line + bytesPerLine;
}

function changeLine({ field, before, after }: TraceChange): string {
  const what = before === null ? `${after}` : `${before} → ${after}`;
  return `${' '.repeat(margin)}${field} ${what}`;
}

function bytesOf(hex: string): string[] {
  return hex.match(/../g) ?? [];
}

function chunks(bytes: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(bytes.length / bytesPerLine) }, (_, index) =>
    bytes.slice(index * bytesPerLine, (index + 1) * bytesPerLine),
  );
}
