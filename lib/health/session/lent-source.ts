/** Has a probe come from sources that somebody lends, each for one question. */
import { isPortTaken } from '../reason.ts';
import type { Probe, Source } from './probe.ts';

export interface LentSource extends Source {
  giveBack(): void;
}

/** Others may hold a port as well, a connection of our own that lingers among them. */
const attempts = 4;

/** The same probe, from a source of `lend`'s; from another if that one cannot be had. */
export function fromLentSource(probe: Probe, lend: () => LentSource): Probe {
  return async (target, signal, heard) => {
    for (let attempt = 1; ; attempt++) {
      const source = lend();
      try {
        return await probe({ ...target, source }, signal, heard);
      } catch (error) {
        if (attempt === attempts || signal.aborted || !isPortTaken(error)) throw error;
      } finally {
        source.giveBack();
      }
    }
  };
}
