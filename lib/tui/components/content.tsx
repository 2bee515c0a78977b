/** What stands between head and foot: the present view, with its details beside or below it, or the help. */
import { Box } from 'ink';
import { detailLines } from '../detail.ts';
import { helpLines } from '../help.ts';
import { contentHeight, panesOf } from '../layout.ts';
import { logView } from '../log-lines.ts';
import { overviewLines } from '../overview.ts';
import type { DashboardState, ViewName } from '../state.ts';
import { backendLines, flowLines } from '../table-view.ts';
import { type Line, mutedLine } from '../text.ts';
import { waitingLines } from '../waiting.ts';
import { Lines } from './lines.tsx';

const views: Readonly<Record<ViewName, (state: DashboardState) => readonly Line[]>> = {
  overview: overviewLines,
  flows: flowLines,
  backends: backendLines,
  log: logView,
};

export function Content({ state }: { readonly state: DashboardState }) {
  const { size, view, isHelpOpen, sample } = state;
  const rows = contentHeight(size);
  if (isHelpOpen || sample === undefined) {
    const lines = isHelpOpen ? helpLines({ columns: size.columns, rows }) : waitingLines(state);
    return (
      <Box height={rows}>
        <Lines lines={lines} columns={size.columns} />
      </Box>
    );
  }
  const { main, detail } = panesOf(state);
  return (
    <Box height={rows} flexDirection={detail?.side === 'right' ? 'row' : 'column'}>
      <Box height={main.rows} width={main.columns} marginRight={detail?.side === 'right' ? 1 : 0}>
        <Lines lines={faded(state, views[view](state))} columns={main.columns} />
      </Box>
      {detail !== undefined && (
        <Box height={detail.size.rows} width={detail.size.columns}>
          <Lines lines={faded(state, detailLines(state, detail))} columns={detail.size.columns} />
        </Box>
      )}
    </Box>
  );
}

/** What was said last by an instance that is gone steps back. */
function faded({ link }: DashboardState, lines: readonly Line[]): readonly Line[] {
  return link.state === 'lost' ? lines.map(mutedLine) : lines;
}
