/** A part of the details: a heading, and under it a line for each thing that there is to say. */
import { type Line, span } from './text.ts';

export interface Block {
  readonly title: string;
  readonly lines: readonly Line[];
}

const labelWidth = 8;

/** A line that says one thing. */
export function fact(label: string, ...value: Line): Line {
  return [span(` ${label.padEnd(labelWidth)}`, 'muted'), ...value];
}
