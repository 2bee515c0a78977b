/** Errors as a person reads them: what is wrong and what to do on one line, the place on a second. */
import { ExitCode, SluiceError } from '../model/errors.ts';
import type { Style } from './style.ts';

/** What can be said of one mistake. */
export interface Problem {
  readonly message: string;
  readonly remedy?: string | undefined;
  /** Where the cause stands, as editors understand it: `edge.yaml:14:7`. */
  readonly place?: string | undefined;
}

/** `sluice: MESSAGE — REMEDY`, and `  at PLACE` where there is one. */
export function problemLines({ message, remedy, place }: Problem, style: Style): string[] {
  const what = remedy === undefined ? message : `${message} — ${remedy}`;
  return [`${style.red('sluice:')} ${what}`, ...(place === undefined ? [] : [`  at ${place}`])];
}

export interface Report {
  readonly lines: readonly string[];
  readonly exitCode: ExitCode;
}

/** How the process ends for what was thrown; `debug` shows where it was thrown as well. */
export function report(error: unknown, style: Style, debug: boolean): Report {
  const trace = debug ? tracesOf(error) : [];
  if (error instanceof SluiceError) {
    const { message, remedy, place, exitCode } = error;
    return { lines: [...problemLines({ message, remedy, place }, style), ...trace], exitCode };
  }
  const message = error instanceof Error ? error.message : String(error);
  const problem = {
    message: `internal error: ${message.split('\n')[0]}`,
    remedy: debug ? undefined : 'run it again with --log-level debug to see where',
  };
  return { lines: [...problemLines(problem, style), ...trace], exitCode: ExitCode.failed };
}

/** The stack of an error and of what caused it. */
function tracesOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [];
  return [...(error.stack ?? '').split('\n'), ...tracesOf(error.cause)];
}

/** Whether a command line asks for debugging; read apart from all other flags, as those may be what is wrong. */
export function wantsDebug(words: readonly string[]): boolean {
  return words.some(
    (word, index) => word === '--log-level=debug' || (word === '--log-level' && words[index + 1] === 'debug'),
  );
}
