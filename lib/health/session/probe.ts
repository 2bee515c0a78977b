/**
 * What a probe is: one question to one backend, asked once. When and how often, and what the answers are
 * worth, is decided elsewhere.
 */
import { once } from 'node:events';
import { reasonOf, timedOut } from '../reason.ts';

/** Whom to ask. */
export interface Target {
  /** A name or an address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly backendName: string;
}

/**
 * Resolves when the backend is well, rejects with what is wrong: an `UnwellError` for a wrong answer, the
 * system's own error where none came. When `signal` aborts it lets go of all it holds.
 */
export type Probe = (target: Target, signal: AbortSignal) => Promise<void>;

/** A probe's outcome as a value; `reason` is as in `reasonOf`. */
export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Runs a probe. Never rejects, and resolves at once when `signal` aborts: the probe has timed out. */
export async function ask(probe: Probe, target: Target, signal: AbortSignal): Promise<ProbeResult> {
  try {
    await Promise.race([probe(target, signal), once(signal, 'abort').then(() => signal.throwIfAborted())]);
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: signal.aborted ? timedOut : reasonOf(error) };
  }
}
