/** Before the instance has answered for the first time. */
import type { DashboardState } from './state.ts';
import { emptyLine, type Line, span } from './text.ts';

export function waitingLines({ link }: DashboardState): readonly Line[] {
  const words =
    link.state === 'lost' ? `${link.reason}. It is asked again and again.` : 'Asking the instance…';
  return [emptyLine, [span(`  ${words}`, 'muted')]];
}
