/** A part of the details: a heading, and under it a line for each thing that there is to say. */
import { headingLine, type Line, span, wrapLine } from './text.ts';

export interface Block {
  readonly title: string;
  readonly lines: readonly Line[];
}

const labelWidth = 8;

/** A line that says one thing. */
export function fact(label: string, ...value: Line): Line {
  return [span(` ${label.padEnd(labelWidth)}`, 'muted'), ...value];
}

/** Heading and lines; what is too long for a line goes on below its beginning. */
export function blockLines({ title, lines }: Block, columns: number): readonly Line[] {
  const wrapped = lines.flatMap((line) => wrapLine(line, columns, 1 + labelWidth));
  return [headingLine(title, columns), ...wrapped];
}
