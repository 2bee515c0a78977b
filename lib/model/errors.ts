/**
 * The one error type that reaches a person: a stable code, one cause, one remedy, and the exit code that
 * goes with it. Anything else that is thrown is a defect of sluice and is reported as such.
 */

/** What the process exits with; scripts rely on these numbers (`sluice(8)`, EXIT STATUS). */
export const ExitCode = {
  fine: 0,
  failed: 1,
  usage: 2,
  configInvalid: 3,
  missing: 4,
  notReached: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface SluiceErrorOptions {
  /** One sentence in the imperative: what the reader can do about it. */
  readonly remedy?: string;
  /** Where the cause stands, as editors understand it: `edge.yaml:14:7`. */
  readonly place?: string;
  readonly exitCode?: ExitCode;
  readonly cause?: unknown;
}

/**
 * An error made for its reader. `code` begins with `ERR_SLUICE_` and never changes once released;
 * `message` says what is wrong without a full stop.
 */
export class SluiceError extends Error {
  readonly code: `ERR_SLUICE_${string}`;
  readonly exitCode: ExitCode;
  readonly remedy: string | undefined;
  readonly place: string | undefined;

  constructor(code: `ERR_SLUICE_${string}`, message: string, options: SluiceErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'SluiceError';
    this.code = code;
    this.exitCode = options.exitCode ?? ExitCode.failed;
    this.remedy = options.remedy;
    this.place = options.place;
  }
}

/** A mistake in what a person typed or wrote; a configuration file turns the exit code into its own. */
export function usageError(message: string, remedy?: string): SluiceError {
  return new SluiceError('ERR_SLUICE_USAGE', message, {
    exitCode: ExitCode.usage,
    ...(remedy === undefined ? {} : { remedy }),
  });
}
