/** How long a backend has been in the state that it is in, whoever has put it there. */
import type { BackendView } from './view.ts';

/** In milliseconds. One that has no history yet has its state from its health alone. */
export function stateAgeMs({ history, health }: Pick<BackendView, 'history' | 'health'>): number {
  return history.at(-1)?.agoMs ?? health.sinceMs;
}
