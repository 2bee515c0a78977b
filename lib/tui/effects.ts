/** What is to be done in the world after an event; the session does it. */
import type { BackendPatch } from '../control/controllable.ts';
import type { BackendName } from './prompt.ts';
import type { DashboardState } from './state.ts';

export type Effect =
  /** Ask the instance again, now. */
  | { readonly type: 'refresh' }
  | {
      readonly type: 'patch';
      readonly backend: BackendName;
      readonly patch: BackendPatch;
      /** What to say when it has been done. */
      readonly done: string;
    }
  /** Draw the whole screen, whatever the terminal shows. */
  | { readonly type: 'redraw' }
  /** End the dashboard. */
  | { readonly type: 'quit' }
  /** End the instance that the dashboard is inside of. */
  | { readonly type: 'stop' };

export interface Update {
  readonly state: DashboardState;
  readonly effects: readonly Effect[];
}

/** A state, and what is to be done, if anything is. */
export function outcome(state: DashboardState, ...effects: readonly Effect[]): Update {
  return { state, effects };
}
