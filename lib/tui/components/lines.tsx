/** Lines of text, cut to the width that there is: one piece of text for all of them, which Ink is quick with. */
import { Text } from 'ink';
import { useContext } from 'react';
import { paintLine } from '../palette.ts';
import { cutLine, type Line } from '../text.ts';
import { PaletteContext } from './palette-context.ts';

export function Lines({ lines, columns }: { readonly lines: readonly Line[]; readonly columns: number }) {
  const palette = useContext(PaletteContext);
  return <Text>{lines.map((line) => paintLine(cutLine(line, columns), palette)).join('\n')}</Text>;
}
