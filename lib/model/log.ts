/** What the parts of sluice say about themselves while they run: structured, levelled, without a sink of its own. */

export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export type LogLevel = (typeof logLevels)[number];

/** Named values that belong to a message; names carry their units (`afterMs`). */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** A place to log to. `message` is a constant sentence: whatever varies goes into `fields`. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const nothing = (): void => undefined;

/** The log of whoever does not care. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
