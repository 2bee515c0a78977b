/**
 * Who gets a new flow. A policy knows the candidates, all enabled and with a weight; it never looks at
 * health or limits beyond what it is handed, and never moves a flow that it has placed.
 * What a flow and a candidate are is up to its user: sockets and backends, or packets and numbers.
 */
import { type Candidate, hasRoom } from './candidate.ts';

export interface Policy<Flow, Member extends Candidate> {
  /** A flow has a backend of its own, and waits for it rather than go elsewhere. */
  readonly affinity: boolean;

  /** Adopts a new set of candidates (weights above 0). The array is the policy's to keep, not to change. */
  rebuild(candidates: readonly Member[]): void;

  /**
   * The backend for a new flow: never one of `tried`, never one without room under `maxConnections`
   * (0 is no limit). Null when there is none, or, with affinity, when the flow's own backend is full.
   */
  pick(flow: Flow, tried: readonly Member[], maxConnections: number): Member | null;
}

/** Whether a policy without affinity may pick `backend`. */
export function mayPick<Member extends Candidate>(
  candidate: Member,
  tried: readonly Member[],
  maxConnections: number,
): boolean {
  return hasRoom(candidate, maxConnections) && !tried.includes(candidate);
}
