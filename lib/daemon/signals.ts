/** What the signals of an operator or a supervisor mean. */
import { isatty } from 'node:tty';

export interface SignalActions {
  /** SIGINT and SIGTERM, and SIGHUP when the terminal has been closed; whoever is told twice is in a hurry. */
  readonly stop: () => void;
  /** Any other SIGHUP. */
  readonly reload: () => void;
}

/**
 * Acts on signals until the function that it returns is called. `hasTerminal` says whether stdin is a terminal: one
 * that is closed sends SIGHUP as well, and is none any more by then.
 */
export function onSignals({ stop, reload }: SignalActions, hasTerminal = () => isatty(0)): () => void {
  const hadTerminal = hasTerminal();
  const hangUp = () => (hadTerminal && !hasTerminal() ? stop() : reload());
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', hangUp);
  return () => {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', hangUp);
  };
}
