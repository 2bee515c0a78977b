/**
 * Runs the machine's own tools (ip, nft, iptables-restore): no shell, a bounded time, and their complaints in one
 * line. The only place that starts a process.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

/** Long enough for iptables to wait for its lock (`-w 5`). */
const timeoutMs = 10_000;

/** Rules may be many: of tens of thousands of services, as on a node of Kubernetes. */
const mostOutputBytes = 64 << 20;

/** A tool that ended badly or is not there (`missing`); the message is what it complained of, in one line. */
export class CommandError extends Error {
  readonly program: string;
  readonly missing: boolean;

  constructor(program: string, complaint: string, missing: boolean) {
    super(`${program}: ${complaint}`);
    this.name = 'CommandError';
    this.program = program;
    this.missing = missing;
  }
}

/** Runs a program with `input` on its stdin; resolves to what it printed. Rejects with `CommandError`. */
export type Run = (program: string, args: readonly string[], input?: string) => Promise<string>;

/**
 * A runner of commands. `lockDirectory` is where iptables keeps its lock when the user may not write to /run; all that
 * run as that user share it.
 */
export function commandRunner(lockDirectory: string): Run {
  const { PATH = '' } = process.env;
  const env = {
    ...process.env,
    LC_ALL: 'C',
    // Users other than root often have no sbin, where these tools are.
    PATH: `${PATH}:/usr/sbin:/sbin:/usr/bin:/bin`,
    ...(process.getuid!() === 0 ? {} : { XTABLES_LOCKFILE: join(lockDirectory, 'xtables.lock') }),
  };
  return (program, args, input = '') =>
    new Promise((resolve, reject) => {
      const child = execFile(
        program,
        args,
        { env, timeout: timeoutMs, maxBuffer: mostOutputBytes },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else if (error.code === 'ENOENT') reject(new CommandError(program, 'not found', true));
          else if (error.killed) reject(new CommandError(program, `no end after ${timeoutMs} ms`, false));
          else reject(new CommandError(program, complaintOf(stderr, input) || error.message, false));
        },
      );
      // A tool that dies before it has read everything: what it said on stderr tells why.
      child.stdin?.on('error', () => undefined).end(input);
    });
}

/**
 * What a tool said on stderr in one line, with the line of `input` that it means: advice, warnings and pointers under
 * the text are left out, and so is the tool's own name.
 */
export function complaintOf(stderr: string, input: string): string {
  const lines = stderr.split('\n').map((line) => line.trim());
  const place = /\/dev\/stdin:(\d+):|occurred at line: (\d+)|^line (\d+): |: line (\d+) failed/m.exec(stderr);
  const culprit = input.split('\n')[Number(place?.slice(1).find(Boolean) ?? 0) - 1]?.trim();
  const said = lines
    .filter((line) => line !== '' && !/^(Try `|Error occurred|# Warning|Warning: |\^)/.test(line))
    .map((line) =>
      line.replace(/^\/dev\/stdin:[\d:-]+ (Error: )?|^\S*tables\S* v[\d.]+ \(\w+\): ?|^line \d+: /, ''),
    )
    .filter((line) => line !== '' && line !== culprit && !/^\^+$/.test(line));
  const complaint = said[0] ?? '';
  return culprit === undefined || culprit === '' ? complaint : `${complaint} (${culprit})`;
}
