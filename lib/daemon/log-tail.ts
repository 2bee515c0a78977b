/** The latest of an instance's log, kept for whoever asks; each entry goes to the log proper as well. */
import { type Log, type LogFields, type LogLevel, logLevels } from '../model/log.ts';
import type { LogEntry } from '../model/view.ts';

/** An hour of an instance that something is wrong with; half a megabyte at most. */
const entriesKept = 1_000;

export class LogTail implements Log {
  readonly #log: Log;
  readonly #lowest: number;
  readonly #wallMs: () => number;
  /** A ring: entry `sequence` lies at `sequence % entriesKept`. */
  readonly #ring: LogEntry[] = [];
  #last = 0;

  /** Passes everything on to `log`, and keeps what is of `level` or more severe. */
  constructor(log: Log, level: LogLevel, wallMs: () => number) {
    this.#log = log;
    this.#lowest = logLevels.indexOf(level);
    this.#wallMs = wallMs;
  }

  debug(message: string, fields?: LogFields): void {
    this.#log.debug(message, fields);
    this.#keep('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log.info(message, fields);
    this.#keep('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log.warn(message, fields);
    this.#keep('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log.error(message, fields);
    this.#keep('error', message, fields);
  }

  /** The entries after that number which are still there, oldest first. */
  after(sequence: number): LogEntry[] {
    const entries: LogEntry[] = [];
    const first = Math.max(sequence, this.#last - entriesKept) + 1;
    for (let next = first; next <= this.#last; next++) entries.push(this.#ring[next % entriesKept]!);
    return entries;
  }

  #keep(level: LogEntry['level'], message: string, fields: LogFields = {}): void {
    if (logLevels.indexOf(level) < this.#lowest) return;
    const sequence = ++this.#last;
    this.#ring[sequence % entriesKept] = { sequence, timeMs: this.#wallMs(), level, message, fields };
  }
}
