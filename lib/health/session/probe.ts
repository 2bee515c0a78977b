/**
 * What a probe is: one question to one backend, asked once. When and how often, and what the answers are
 * worth, is decided elsewhere.
 */
import { once } from 'node:events';
import { isAnswer, isOwnTrouble, reasonOf, timedOut } from '../reason.ts';

/** An address and a port of this machine. */
export interface Source {
  readonly address: string;
  readonly port: number;
}

/** Whom to ask. */
export interface Target {
  /** A name or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly backendName: string;
  /** Where the question has to come from; it leaves nothing behind there. The system's choice when absent. */
  readonly source?: Source;
}

/**
 * Resolves when the backend is well, rejects with what is wrong: an `UnwellError` for a wrong answer, the
 * system's own error where none came. Calls `heard` if anything comes back before it has an answer. When `signal`
 * aborts it lets go of all it holds.
 */
export type Probe = (target: Target, signal: AbortSignal, heard: () => void) => Promise<void>;

/** How a probe failed; `reason` is as in `reasonOf`. */
export interface ProbeFailure {
  readonly ok: false;
  readonly reason: string;
  /** How far it came: not out of this machine, no further than that anybody knows, or to the backend. */
  readonly reached: 'nowhere' | 'unknown' | 'backend';
}

/** A probe's outcome as a value. */
export type ProbeResult = { readonly ok: true } | ProbeFailure;

/** Runs a probe. Never rejects, and resolves at once when `signal` aborts: the probe has timed out. */
export async function ask(probe: Probe, target: Target, signal: AbortSignal): Promise<ProbeResult> {
  let isHeard = false;
  const heard = (): void => {
    isHeard = true;
  };
  try {
    await Promise.race([
      probe(target, signal, heard),
      once(signal, 'abort').then(() => signal.throwIfAborted()),
    ]);
    return { ok: true };
  } catch (error) {
    const reason = signal.aborted ? timedOut : reasonOf(error);
    if (isHeard || isAnswer(error)) return { ok: false, reason, reached: 'backend' };
    return { ok: false, reason, reached: isOwnTrouble(error) ? 'nowhere' : 'unknown' };
  }
}
