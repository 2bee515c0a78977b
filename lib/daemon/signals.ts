/** What the signals of an operator or a supervisor mean. */

export interface SignalActions {
  /** SIGINT and SIGTERM; whoever is told twice is in a hurry. */
  readonly stop: () => void;
  /** SIGHUP. */
  readonly reload: () => void;
}

/** Acts on signals until the function that it returns is called. */
export function onSignals({ stop, reload }: SignalActions): () => void {
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', reload);
  return () => {
    process.off('SIGINT', stop).off('SIGTERM', stop).off('SIGHUP', reload);
  };
}
