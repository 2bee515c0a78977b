/** Backends at random, each as likely as its weight: needs no memory and no agreement between balancers. */
import type { FlowTuple } from '../hash/flow-key.ts';
import type { Random } from '../model/clock.ts';
import type { Backend } from './backend.ts';
import { mayPick, type Policy } from './policy.ts';

export class WeightedRandom implements Policy {
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
    return drawByWeight(this.#candidates, this.#random, tried, maxConnections, null);
  }
}

/** Draws one of `candidates` that may be picked and is not `except`; null when there is none. */
export function drawByWeight(
  candidates: readonly Backend[],
  random: Random,
  tried: readonly Backend[],
  maxConnections: number,
  except: Backend | null,
): Backend | null {
  let total = 0;
  for (const backend of candidates) {
    if (backend !== except && mayPick(backend, tried, maxConnections)) total += backend.weight;
  }
  let point = Math.floor(random() * total);
  for (const backend of candidates) {
    if (backend === except || !mayPick(backend, tried, maxConnections)) continue;
    point -= backend.weight;
    if (point < 0) return backend;
  }
  return null;
}
