/**
 * Who gets a new flow. A policy knows the candidates, all enabled and with a weight; it never looks at
 * health or limits beyond what it is handed, and never moves a flow that it has placed.
 */
import type { FlowTuple } from '../hash/flow-key.ts';
import type { Backend } from './backend.ts';

export interface Policy {
  /** A flow has a backend of its own, and waits for it rather than go elsewhere. */
  readonly affinity: boolean;

  /** Adopts a new set of candidates (weights above 0). The array is the policy's to keep, not to change. */
  rebuild(candidates: readonly Backend[]): void;

  /**
   * The backend for a new flow: never one of `tried`, never one without room under `maxConnections`
   * (0 is no limit). Null when there is none, or, with affinity, when the flow's own backend is full.
   */
  pick(flow: FlowTuple, tried: readonly Backend[], maxConnections: number): Backend | null;
}

/** Whether a policy without affinity may pick `backend`. */
export function mayPick(backend: Backend, tried: readonly Backend[], maxConnections: number): boolean {
  return backend.hasRoom(maxConnections) && !tried.includes(backend);
}
