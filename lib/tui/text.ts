/** Lines of styled text, measured in the cells of a terminal. What they look like is up to the palette. */
import stringWidth from 'string-width';
import { printable } from '../model/printable.ts';

/** What a piece of text means; see palette.ts for how that looks. */
export type Tone =
  | 'plain'
  | 'muted'
  | 'strong'
  | 'good'
  | 'bad'
  | 'warn'
  | 'accent'
  | 'inbound'
  | 'outbound'
  | 'selected';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

export const emptyLine: Line = [];

/** A piece of text; whatever it is, it stays on its line. */
export function span(text: string, tone: Tone = 'plain'): Span {
  return { text: printable(text), tone };
}

/** Text of one cell to a character: what tables and charts are made of, and nearly all else. */
const narrow = /^[\x20-\x7e–…─▁-█▲▼●○◌‖×·]*$/;

/** Cells that a text takes. */
export function widthOf(text: string): number {
  return narrow.test(text) ? text.length : stringWidth(text);
}

/** Cells that a line takes. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0);
}

/** What the line says, without its style. */
export function plainText(line: Line): string {
  return line.map(({ text }) => text).join('');
}

/** Cuts a text to `width` cells; an ellipsis stands where it was cut, at the end or in the middle. */
export function shorten(text: string, width: number, where: 'end' | 'middle' = 'end'): string {
  if (widthOf(text) <= width) return text;
  if (width < 2) return '…'.slice(0, width);
  const tailWidth = where === 'end' ? 0 : Math.floor((width - 1) / 2);
  const characters = [...text];
  return `${take(characters, width - 1 - tailWidth)}…${take(characters.toReversed(), tailWidth, true)}`;
}

/** As many characters as fit. */
function take(characters: readonly string[], width: number, isReversed = false): string {
  const taken: string[] = [];
  let used = 0;
  for (const character of characters) {
    used += widthOf(character);
    if (used > width) break;
    taken.push(character);
  }
  return (isReversed ? taken.toReversed() : taken).join('');
}

/** A line cut to `width` cells. */
export function cutLine(line: Line, width: number): Line {
  const cut: Span[] = [];
  let left = width;
  for (const { text, tone } of line) {
    if (left <= 0) break;
    const fitting = shorten(text, left);
    cut.push({ text: fitting, tone });
    left -= widthOf(fitting);
    if (fitting !== text) break;
  }
  return cut;
}

/** A line in as many of at most `width` cells as it takes, each but the first `indent` cells further in. */
export function wrapLine(line: Line, width: number, indent: number): readonly Line[] {
  const room = width - indent;
  // Some characters take two cells.
  if (room < 2) return [cutLine(line, width)];
  const lines: Span[][] = [[]];
  let left = width;
  for (const { text, tone } of line) {
    let rest = text;
    while (widthOf(rest) > left) {
      const head = headOf(rest, left, room);
      lines.at(-1)!.push({ text: head, tone });
      rest = rest.slice(head.length).trimStart();
      lines.push([span(' '.repeat(indent))]);
      left = room;
    }
    lines.at(-1)!.push({ text: rest, tone });
    left -= widthOf(rest);
  }
  return lines;
}

/**
 * What of a text goes on `width` cells of a line: whole words, unless the next one is too long for the `room` of any.
 * Never nothing where there is all of that room.
 */
function headOf(text: string, width: number, room: number): string {
  const fitting = take([...text], width);
  const words = fitting.slice(0, fitting.lastIndexOf(' ') + 1);
  const [next = ''] = text.slice(words.length).split(' ');
  const isLong = widthOf(next) > room || (words === '' && width >= room);
  return isLong ? fitting : words;
}

/** A line of exactly `width` cells. */
export function padLine(line: Line, width: number): Line {
  const cut = cutLine(line, width);
  const missing = width - lineWidth(cut);
  return missing > 0 ? [...cut, span(' '.repeat(missing))] : cut;
}

/** A line of exactly `width` cells with something at either end; the left end gives way. */
export function spreadLine(left: Line, right: Line, width: number): Line {
  const rightWidth = Math.min(lineWidth(right), width);
  return [...padLine(left, width - rightWidth), ...cutLine(right, rightWidth)];
}

/** The line as the one that is chosen, across the whole width. */
export function selectLine(line: Line, width: number): Line {
  return [span(plainText(padLine(line, width)), 'selected')];
}

/** The line without what makes it stand out. */
export function mutedLine(line: Line): Line {
  return [span(plainText(line), 'muted')];
}

/** Lines side by side, the left ones padded to their width; `gap` blank cells lie between. */
export function besideLines(
  left: readonly Line[],
  leftWidth: number,
  gap: number,
  right: readonly Line[],
): Line[] {
  const blank = span(' '.repeat(gap));
  return Array.from({ length: Math.max(left.length, right.length) }, (_, row) => [
    ...padLine(left[row] ?? emptyLine, leftWidth),
    blank,
    ...(right[row] ?? emptyLine),
  ]);
}

/** A heading with a rule behind it, and perhaps something at its end. */
export function headingLine(title: string, width: number, note = ''): Line {
  const end = note === '' ? ' ' : ` ${note} `;
  const rule = Math.max(0, width - widthOf(title) - widthOf(end) - 2);
  return cutLine([span(` ${title} `, 'strong'), span(`${'─'.repeat(rule)}${end}`, 'muted')], width);
}
