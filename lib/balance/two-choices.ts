/**
 * The less loaded of two different backends drawn by weight. Nearly as even as searching for the least loaded,
 * without the herd: balancers that see the same loads do not all choose the same backend
 * (Mitzenmacher, "The power of two choices in randomized load balancing", 2001).
 */
import type { FlowTuple } from '../hash/flow-key.ts';
import type { Random } from '../model/clock.ts';
import type { Backend } from './backend.ts';
import type { Policy } from './policy.ts';
import { drawByWeight } from './random.ts';

export class TwoChoices implements Policy {
  readonly affinity = false;
  readonly #random: Random;
  #candidates: readonly Backend[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  rebuild(candidates: readonly Backend[]): void {
    this.#candidates = candidates;
  }

  pick(_flow: FlowTuple, tried: readonly Backend[], maxConnections: number): Backend | null {
    const first = drawByWeight(this.#candidates, this.#random, tried, maxConnections, null);
    if (first === null) return null;
    const second = drawByWeight(this.#candidates, this.#random, tried, maxConnections, first);
    return second?.isLessLoadedThan(first) ? second : first;
  }
}
