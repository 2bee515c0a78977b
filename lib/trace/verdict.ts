/** What became of a packet, for whoever tells of it. */
import { Verdict } from '../forward/batch.ts';
import type { TraceVerdict } from '../model/trace.ts';
import type { Outcome } from './rig.ts';

/** What is sent apart goes on, though the packet itself is dropped. */
export function verdictOf({ verdict, apart }: Pick<Outcome, 'verdict' | 'apart'>): TraceVerdict {
  if (apart.length > 0) return 'rewritten';
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

/** What goes on in place of a packet: nothing, itself, or what was made of it. */
export function packetsAfter({ verdict, bytes, apart }: Outcome): readonly Uint8Array[] {
  if (apart.length > 0) return apart;
  return verdict === Verdict.drop || verdict === Verdict.none ? [] : [bytes];
}
