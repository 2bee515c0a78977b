/** The whole picture: it follows from the state and the palette, and from nothing else. */
import { Box } from 'ink';
import { footLine } from '../foot.ts';
import { ruleLine, tabsLine, titleLine } from '../head.ts';
import type { Palette } from '../palette.ts';
import type { DashboardState } from '../state.ts';
import { Content } from './content.tsx';
import { Lines } from './lines.tsx';
import { PaletteContext } from './palette-context.ts';

export function Dashboard({ state, palette }: { readonly state: DashboardState; readonly palette: Palette }) {
  const { columns, rows } = state.size;
  return (
    <PaletteContext value={palette}>
      <Box flexDirection="column" width={columns} height={rows} overflow="hidden">
        <Lines lines={[titleLine(state), tabsLine(state), ruleLine(state)]} columns={columns} />
        <Content state={state} />
        <Lines lines={[footLine(state)]} columns={columns} />
      </Box>
    </PaletteContext>
  );
}
