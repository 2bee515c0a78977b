/**
 * Lines of text, cut to the width that there is. Ink measures each text and remembers it for ever, which of a picture a
 * second is too much: what it gets to measure is blank, and the lines are put in its place when it is drawn.
 */
import { Transform } from 'ink';
import { useContext } from 'react';
import { paintLine } from '../palette.ts';
import { cutLine, type Line } from '../text.ts';
import { PaletteContext } from './palette-context.ts';

export function Lines({ lines, columns }: { readonly lines: readonly Line[]; readonly columns: number }) {
  const palette = useContext(PaletteContext);
  const painted = lines.map((line) => paintLine(cutLine(line, columns), palette));
  const blank = lines.map(() => ' ').join('\n');
  return <Transform transform={(_, index) => painted[index] ?? ''}>{blank}</Transform>;
}
