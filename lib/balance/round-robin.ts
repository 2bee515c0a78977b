/**
 * Smooth weighted round robin, as nginx has it: weights 5, 1, 1 give a a b a c a a, never five in a row.
 * Each pick credits every backend with its weight; the richest wins and pays what all were credited.
 *
 *     credit before   a  b  c        winner   after
 *                     5  1  1        a       −2  1  1
 *                     3  2  2        a       −4  2  2
 *                     1  3  3        b        1 −4  3
 *                     6 −3  4        a       −1 −3  4
 *
 * The credits add up to 0 after each pick, and are all 0 again after as many picks as the weights add up to.
 * Who may not be picked neither earns nor pays. A new set of candidates begins anew.
 */
import type { Candidate } from './candidate.ts';
import { mayPick, type Policy } from './policy.ts';

export class RoundRobin<Member extends Candidate> implements Policy<unknown, Member> {
  readonly affinity = false;
  #candidates: readonly Member[] = [];
  #credits = new Float64Array(0);

  rebuild(candidates: readonly Member[]): void {
    this.#candidates = candidates;
    this.#credits = new Float64Array(candidates.length);
  }

  pick(_flow: unknown, tried: readonly Member[], maxConnections: number): Member | null {
    const credits = this.#credits;
    let paid = 0;
    let winner = -1;
    for (let i = 0; i < credits.length; i++) {
      const backend = this.#candidates[i]!;
      if (!mayPick(backend, tried, maxConnections)) continue;
      credits[i]! += backend.weight;
      paid += backend.weight;
      if (winner < 0 || credits[i]! > credits[winner]!) winner = i;
    }
    if (winner < 0) return null;
    credits[winner]! -= paid;
    return this.#candidates[winner]!;
  }
}
