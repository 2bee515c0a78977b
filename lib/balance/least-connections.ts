/**
 * The backend with the fewest connections for its weight. Those that tie, such as all of an idle service,
 * have their turns: each search begins behind the last winner and only a lighter load unseats the first found.
 */
import { type Candidate, isLessLoaded } from './candidate.ts';
import { mayPick, type Policy } from './policy.ts';

export class LeastConnections<Member extends Candidate> implements Policy<unknown, Member> {
  readonly affinity = false;
  #candidates: readonly Member[] = [];
  #first = 0;

  rebuild(candidates: readonly Member[]): void {
    this.#candidates = candidates;
    this.#first = 0;
  }

  pick(_flow: unknown, tried: readonly Member[], maxConnections: number): Member | null {
    const count = this.#candidates.length;
    let lightest: Member | null = null;
    let next = this.#first;
    for (let i = 0; i < count; i++) {
      const at = (this.#first + i) % count;
      const backend = this.#candidates[at]!;
      if (!mayPick(backend, tried, maxConnections)) continue;
      if (lightest === null || isLessLoaded(backend, lightest)) {
        lightest = backend;
        next = at + 1;
      }
    }
    this.#first = next;
    return lightest;
  }
}
