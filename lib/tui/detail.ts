/**
 * The details of the chosen row: a flow and why it is where it is, a backend and what has become of it, or a line of the
 * log with all that it says.
 */
import { backendBlock, historyBlock } from './backend-detail.ts';
import { type Block, blockLines } from './detail-block.ts';
import { flowBlock, whyBlock } from './flow-detail.ts';
import type { Panes } from './layout.ts';
import { entryBlock } from './log-detail.ts';
import { chosenBackend, chosenEntry, chosenFlow } from './rows.ts';
import type { DashboardState } from './state.ts';
import { besideLines, emptyLine, headingLine, type Line, span } from './text.ts';

const gap = 2;
/** Cells that a block takes at least. */
const leastBlock = 38;

/** As many lines as the pane has. */
export function detailLines(
  state: DashboardState,
  { size, side }: NonNullable<Panes['detail']>,
): readonly Line[] {
  const columns = side === 'right' ? size.columns - 1 : size.columns;
  const blocks = blocksOf(state);
  if (blocks.length === 0) {
    return [headingLine('Details', columns), [span('  Nothing is chosen.', 'muted')]];
  }
  return side === 'right'
    ? below(blocks, columns).slice(0, size.rows)
    : beside(blocks, columns).slice(0, size.rows);
}

/** The most telling first. */
function blocksOf(state: DashboardState): readonly Block[] {
  const flow = chosenFlow(state);
  const backend = chosenBackend(state);
  const entry = chosenEntry(state);
  return [
    ...(entry === undefined ? [] : [entryBlock(entry)]),
    ...(flow === undefined ? [] : [flowBlock(flow), whyBlock(state, flow)]),
    ...(backend === undefined ? [] : [backendBlock(state, backend), historyBlock(backend)]),
  ];
}

function below(blocks: readonly Block[], columns: number): readonly Line[] {
  return blocks.flatMap((block) => [...blockLines(block, columns), emptyLine]);
}

/** As many as can be read. */
function beside(blocks: readonly Block[], columns: number): readonly Line[] {
  const count = Math.max(1, Math.min(blocks.length, Math.floor(columns / leastBlock)));
  const width = Math.floor((columns - gap * (count - 1)) / count);
  return blocks
    .slice(0, count)
    .map((block) => blockLines(block, width))
    .reduce((left, right, index) => besideLines(left, index * (width + gap) - gap, gap, right));
}
