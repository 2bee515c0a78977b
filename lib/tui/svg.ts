/**
 * A frame as an SVG picture, for documents and bug reports: the cells of a terminal, colours kept. Text is laid out by
 * cells whatever font there is, and bars and rules are drawn, so that they join as they do on a screen.
 */
import { type StyledChar, styledCharsFromTokens, tokenize } from '@alcalzone/ansi-tokenize';
import type { Size } from './state.ts';

const cell = { width: 9, height: 19, baseline: 14, fontSize: 15 } as const;
const margin = 14;

const background = '#0d1117';
const foreground = '#d1d7e0';
/** ECMA-48 §8.3.117: the colours that a palette uses, by their parameter. */
const colours: Readonly<Record<string, string>> = {
  '31': '#f47067',
  '32': '#57ab5a',
  '33': '#daaa3f',
  '35': '#b083f0',
  '36': '#56c2d6',
};
const dimOpacity = 0.62;

interface Style {
  readonly colour: string;
  readonly isBold: boolean;
  readonly isDim: boolean;
  readonly isInverse: boolean;
}

/** Cells of one line that look alike. */
interface Run {
  readonly column: number;
  readonly text: string;
  readonly style: Style;
}

/** `frame` is what Ink has made of the picture: lines with escape sequences. */
export function frameToSvg(frame: string, { columns, rows }: Size, title: string): string {
  const [width, height] = [columns * cell.width + 2 * margin, rows * cell.height + 2 * margin];
  const lines = frame.split('\n').slice(0, rows);
  const body = lines.flatMap((line, row) => runsOf(line).flatMap((run) => drawRun(run, row)));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${number(width)} ${number(height)}" width="${number(width)}" height="${number(height)}" role="img">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" rx="8" fill="${background}"/>`,
    `<g transform="translate(${margin} ${margin})" font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="${cell.fontSize}" fill="${foreground}" xml:space="preserve">`,
    ...body,
    '</g>',
    '</svg>',
    '',
  ].join('\n');
}

/** A line taken apart where its look changes, and where drawn characters begin and end. */
function runsOf(line: string): Run[] {
  const runs: Run[] = [];
  let column = 0;
  let open: { column: number; text: string; style: Style; key: string } | undefined;
  for (const character of styledCharsFromTokens(tokenize(line))) {
    const style = styleOf(character);
    const key = `${JSON.stringify(style)} ${isDrawn(character.value)}`;
    if (open?.key === key) open.text += character.value;
    else {
      if (open !== undefined) runs.push(open);
      open = { column, text: character.value, style, key };
    }
    column += character.fullWidth ? 2 : 1;
  }
  if (open !== undefined) runs.push(open);
  return runs;
}

function styleOf({ styles }: StyledChar): Style {
  const codes = new Set(styles.map(({ code }) => code.slice(2, -1)));
  const [colour] = [...codes].flatMap((code) => colours[code] ?? []);
  return {
    colour: colour ?? foreground,
    isBold: codes.has('1'),
    isDim: codes.has('2'),
    isInverse: codes.has('7'),
  };
}

function drawRun({ column, text, style }: Run, row: number): string[] {
  const [x, y] = [column * cell.width, row * cell.height];
  const { colour, isBold, isDim, isInverse } = style;
  const opacity = isDim ? ` opacity="${dimOpacity}"` : '';
  const block = isInverse
    ? [
        `<rect x="${number(x)}" y="${y}" width="${number(text.length * cell.width)}" height="${cell.height}" fill="${colour}"/>`,
      ]
    : [];
  const ink = isInverse ? background : colour;
  if (isDrawn(text[0]!)) return [...block, `<path d="${pathOf(text, x, y)}" fill="${ink}"${opacity}/>`];
  const look = [
    ...(ink === foreground ? [] : [` fill="${ink}"`]),
    ...(isBold ? [' font-weight="600"'] : []),
    opacity,
  ].join('');
  // What stands apart is placed apart: not every viewer keeps to the length of a text.
  const words = Array.from(text.matchAll(/\S+(?: \S+)*/g), ({ 0: word, index }) => {
    const at = `x="${x + index * cell.width}" y="${y + cell.baseline}"`;
    const length = `textLength="${[...word].length * cell.width}" lengthAdjust="spacingAndGlyphs"`;
    return `<text ${at} ${length}${look}>${escapeXml(word)}</text>`;
  });
  return [...block, ...words];
}

const rule = '─';
const firstBlock = '▁'.charCodeAt(0);
const lastBlock = '█'.charCodeAt(0);

function isDrawn(character: string): boolean {
  const code = character.charCodeAt(0);
  return character === rule || (code >= firstBlock && code <= lastBlock);
}

/** Bars and rules as one path. */
function pathOf(text: string, x: number, y: number): string {
  return [...text]
    .map((character, index) => {
      const left = x + index * cell.width;
      if (character === rule) return box(left, y + cell.height / 2 - 0.5, cell.width, 1);
      const height = ((character.charCodeAt(0) - firstBlock + 1) / 8) * cell.height;
      return box(left, y + cell.height - height, cell.width - 1, height);
    })
    .join('');
}

function box(x: number, y: number, width: number, height: number): string {
  return `M${number(x)} ${number(y)}h${number(width)}v${number(height)}h${number(-width)}z`;
}

function number(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
