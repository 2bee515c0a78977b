/**
 * The less loaded of two different backends drawn by weight. Nearly as even as searching for the least loaded,
 * without the herd: balancers that see the same loads do not all choose the same backend
 * (Mitzenmacher, "The power of two choices in randomized load balancing", 2001).
 */
import type { Random } from '../model/clock.ts';
import { type Candidate, isLessLoaded } from './candidate.ts';
import type { Policy } from './policy.ts';
import { drawByWeight } from './random.ts';

export class TwoChoices<Member extends Candidate> implements Policy<unknown, Member> {
  readonly affinity = false;
  readonly #random: Random;
  #candidates: readonly Member[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  rebuild(candidates: readonly Member[]): void {
    this.#candidates = candidates;
  }

  pick(_flow: unknown, tried: readonly Member[], maxConnections: number): Member | null {
    const first = drawByWeight(this.#candidates, this.#random, tried, maxConnections, null);
    if (first === null) return null;
    const second = drawByWeight(this.#candidates, this.#random, tried, maxConnections, first);
    return second !== null && isLessLoaded(second, first) ? second : first;
  }
}
