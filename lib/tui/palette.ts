/**
 * What tones look like: the sixteen colours that every terminal has and its owner has chosen, and what is left of them
 * where there is no colour. Colour never says what is not said in words as well.
 */
import type { Line, Tone } from './text.ts';

/** ECMA-48 §8.3.117, select graphic rendition: what a tone is begun and ended by. */
type Rendition = readonly [open: string, close: string];

export type Palette = Readonly<Record<Tone, Rendition>>;

const plain: Rendition = ['', ''];

function sgr(open: string, close: string): Rendition {
  return [`\u001b[${open}m`, `\u001b[${close}m`];
}

const bold = sgr('1', '22');
const dim = sgr('2', '22');
const inverse = sgr('7', '27');
const cyan = sgr('36', '39');

export const colourPalette: Palette = {
  plain,
  muted: dim,
  strong: bold,
  good: sgr('32', '39'),
  bad: sgr('31', '39'),
  warn: sgr('33', '39'),
  accent: [bold[0] + cyan[0], cyan[1] + bold[1]],
  inbound: cyan,
  outbound: sgr('35', '39'),
  selected: inverse,
};

export const plainPalette: Palette = {
  plain,
  muted: dim,
  strong: bold,
  good: plain,
  bad: bold,
  warn: bold,
  accent: bold,
  inbound: plain,
  outbound: plain,
  selected: inverse,
};

/** The line as a terminal takes it. */
export function paintLine(line: Line, palette: Palette): string {
  return line
    .map(({ text, tone }) => {
      const [open, close] = palette[tone];
      return open + text + close;
    })
    .join('');
}
