/** Verdicts over packets, in words. */
import { Verdict } from '../forward/batch.ts';
import type { TraceVerdict } from '../model/trace.ts';

export function verdictOf({ verdict }: { readonly verdict: number }): TraceVerdict {
  switch (verdict) {
    case Verdict.rewritten:
      return 'rewritten';
    case Verdict.accept:
      return 'accept';
    case Verdict.marked:
      return 'mark';
    case Verdict.none:
      return 'hold';
    default:
      return 'drop';
  }
}
