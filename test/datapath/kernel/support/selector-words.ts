import type { Selector } from '../../../../lib/datapath/kernel/selectors.ts';

/** A selector in one line: what, where, and `→` who gets it. */
export function inWords(selector: Selector): string {
  const where = (): string => {
    switch (selector.kind) {
      case 'ports':
        return `${selector.end} ${selector.address} ${selector.protocol} ${selector.ports.join('-')}`;
      case 'error':
        return `quoted ${selector.quotedEnd} ${selector.address} ${selector.protocol} ${selector.ports.join('-')}`;
      case 'tunnel-error':
        return `${selector.address} protocol ${selector.protocol}`;
      case 'echo':
        return selector.address;
      case 'fragments':
        return `${selector.end} ${selector.address} ${selector.protocol}`;
    }
  };
  return `${selector.kind} ${where()} → ${selector.steer}`;
}
