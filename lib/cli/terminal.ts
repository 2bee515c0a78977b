/** Where a command speaks: data on stdout, messages on stderr, each in its own style. */
import { readFileSync } from 'node:fs';
import { ansiStyle, plainStyle, type Style, usesColor } from './style.ts';

export interface Terminal {
  /** Writes a line of data to stdout. */
  print(line: string): void;
  /** Writes a line for the person to stderr. */
  say(line: string): void;
  /** Where a dashboard can be shown, if anywhere. */
  readonly screen: Screen | undefined;
  /** Whether messages and a dashboard would meet on the same screen. */
  readonly saysOnScreen: boolean;
  readonly out: Style;
  readonly err: Style;
}

/** A terminal that is this process's to draw on and to read from. */
export interface Screen {
  readonly stdin: NodeJS.ReadStream & { readonly fd: number };
  readonly stdout: NodeJS.WriteStream & { readonly fd: number };
  readonly colour: boolean;
}

export interface TerminalOptions {
  readonly stdin: NodeJS.ReadStream & { readonly fd: number };
  readonly stdout: NodeJS.WriteStream & { readonly fd: number };
  readonly stderr: NodeJS.WriteStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `--no-color` was given. */
  readonly noColor: boolean;
}

/** The terminal of a process. */
export function createTerminal({ stdin, stdout, stderr, env, noColor }: TerminalOptions): Terminal {
  const { TERM } = env;
  const isColoured = (stream: NodeJS.WriteStream) =>
    usesColor({ refused: noColor, env, isTerminal: stream.isTTY === true });
  const styleOf = (stream: NodeJS.WriteStream) => (isColoured(stream) ? ansiStyle : plainStyle);
  return {
    print: (line) => void stdout.write(`${line}\n`),
    say: (line) => void stderr.write(`${line}\n`),
    get screen() {
      const canDraw = stdout.isTTY === true && stdin.isTTY === true && TERM !== 'dumb';
      return canDraw && isInForeground() ? { stdin, stdout, colour: isColoured(stdout) } : undefined;
    },
    saysOnScreen: stderr.isTTY === true,
    out: styleOf(stdout),
    err: styleOf(stderr),
  };
}

/** Whether the keyboard is this process's: one that was started with `&` would be stopped if it read. */
function isInForeground(): boolean {
  try {
    // proc(5): behind the name, which may have spaces in it, state, parent, group, session, terminal, its group.
    const [, , group, , , foreground] = readFileSync('/proc/self/stat', 'utf8')
      .split(') ')
      .at(-1)!
      .split(' ');
    return group === foreground;
  } catch {
    return true;
  }
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
