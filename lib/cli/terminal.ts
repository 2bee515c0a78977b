/** Where a command speaks: data on stdout, messages on stderr, each in its own style. */
import { ansiStyle, plainStyle, type Style, usesColor } from './style.ts';

export interface Terminal {
  /** Writes a line of data to stdout. */
  print(line: string): void;
  /** Writes a line for the person to stderr. */
  say(line: string): void;
  /** Writes raw text to stdout, for what is redrawn in place. */
  draw(text: string): void;
  /** Whether stdout is a terminal that can redraw. */
  readonly canRedraw: boolean;
  /** The size of that terminal, in characters. */
  readonly size: { readonly columns: number; readonly rows: number };
  readonly out: Style;
  readonly err: Style;
}

export interface TerminalOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--no-color` was given. */
  readonly noColor: boolean;
}

/** The terminal of a process. */
export function createTerminal({ stdout, stderr, env, noColor }: TerminalOptions): Terminal {
  const { TERM } = env;
  const styleOf = (stream: NodeJS.WriteStream) =>
    usesColor({ refused: noColor, env, isTerminal: stream.isTTY === true }) ? ansiStyle : plainStyle;
  return {
    print: (line) => void stdout.write(`${line}\n`),
    say: (line) => void stderr.write(`${line}\n`),
    draw: (text) => void stdout.write(text),
    canRedraw: stdout.isTTY === true && TERM !== 'dumb',
    get size() {
      return { columns: stdout.columns ?? 80, rows: stdout.rows ?? 24 };
    },
    out: styleOf(stdout),
    err: styleOf(stderr),
  };
}

/**
 * Nobody reading any more (`sluice flows | head`) is no error: a stdout that was closed ends the process in silence, a
 * closed stderr silences the messages.
 */
export function endQuietlyWhenUnread(process: NodeJS.Process): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
