/**
 * The backend with the fewest connections for its weight. Those that tie, such as all of an idle service,
 * have their turns: each search begins behind the last winner and only a lighter load unseats the first found.
 */
import type { FlowTuple } from '../hash/flow-key.ts';
import type { Backend } from './backend.ts';
import { mayPick, type Policy } from './policy.ts';

export class LeastConnections implements Policy {
  readonly affinity = false;
  #candidates: readonly Backend[] = [];
  #first = 0;

  rebuild(candidates: readonly Backend[]): void {
    this.#candidates = candidates;
    this.#first = 0;
  }

  pick(_flow: FlowTuple, tried: readonly Backend[], maxConnections: number): Backend | null {
    const count = this.#candidates.length;
    let lightest: Backend | null = null;
    let next = this.#first;
    for (let i = 0; i < count; i++) {
      const at = (this.#first + i) % count;
      const backend = this.#candidates[at]!;
      if (!mayPick(backend, tried, maxConnections)) continue;
      if (lightest === null || backend.isLessLoadedThan(lightest)) {
        lightest = backend;
        next = at + 1;
      }
    }
    this.#first = next;
    return lightest;
  }
}
