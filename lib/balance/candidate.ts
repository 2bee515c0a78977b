/** What a policy has to know of a backend to choose it: the proxy's backends are such, and the packet path's. */

/** Weight and name stay as they are for as long as a policy knows it; the load changes all the time. */
export interface Candidate {
  /** The identity in every hash. */
  readonly name: string;
  /** Above 0. */
  readonly weight: number;
  /** Flows that it carries now. */
  readonly live: number;
}

/** Whether it may take one flow more; a limit of 0 is none. */
export function hasRoom(candidate: Candidate, limit: number): boolean {
  return limit === 0 || candidate.live < limit;
}

/** Whether `one` carries less for its weight than `other` does. */
export function isLessLoaded(one: Candidate, other: Candidate): boolean {
  return one.live * other.weight < other.live * one.weight;
}
