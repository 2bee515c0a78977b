/** Backends at random, each as likely as its weight: needs no memory and no agreement between balancers. */
import type { Random } from '../model/clock.ts';
import type { Candidate } from './candidate.ts';
import { mayPick, type Policy } from './policy.ts';

export class WeightedRandom<Member extends Candidate> implements Policy<unknown, Member> {
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
    return drawByWeight(this.#candidates, this.#random, tried, maxConnections, null);
  }
}

/** Draws one of `candidates` that may be picked and is not `except`; null when there is none. */
export function drawByWeight<Member extends Candidate>(
  candidates: readonly Member[],
  random: Random,
  tried: readonly Member[],
  maxConnections: number,
  except: Member | null,
): Member | null {
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
