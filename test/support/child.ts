/**
 * Child processes of a test. A server runs until it is stopped, and is stopped by its pid; nothing outlives
 * the test process, however that ends short of SIGKILL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

const readyTimeoutMs = 15_000;
const stopTimeoutMs = 15_000;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  /** The one core that it may run on; any when absent. */
  readonly core?: number | undefined;
  /** The network namespace that it runs in, by its name in ip-netns(8); this process's own when absent. */
  readonly namespace?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A server that accepts traffic. `await using` stops it at the end of the block. */
export interface Server extends AsyncDisposable {
  readonly pid: number;
  /** What it has said so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves to the exit code, or null when a signal ended it. */
  readonly exited: Promise<number | null>;
  kill(signal: NodeJS.Signals): void;
  /** Ends it, with SIGKILL when it does not obey, and cleans up after it. */
  stop(): Promise<void>;
}

/** Those whose process group is not known to be empty. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) killGroup(child);
});
// The runner ends a test file that takes too long with SIGTERM, which by itself would pass over `exit`.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** Every child leads a process group, so that what it has started itself goes with it. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || !alive.has(child)) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // The group is empty already.
  }
}

/** Starts a program; its output is collected and nothing is awaited. */
function launch({ program, args, core, namespace, env, cwd }: Command) {
  // Each of the words before the program becomes the program, so that the pid is the program's.
  const [file, ...argv] = [
    ...(core === undefined ? [] : ['taskset', '--cpu-list', String(core)]),
    ...(namespace === undefined ? [] : ['nsenter', `--net=/run/netns/${namespace}`]),
    program,
    ...args,
  ];
  const child = spawn(file!, argv, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  alive.add(child);
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  }
  // `close` comes when nobody holds the output any more: the child and all that it has started.
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const forget = () => alive.delete(child);
  exited.then(forget, forget);
  return { child, said, exited };
}

/**
 * Starts a server and waits until `ready` resolves; rejects with what the server said when it exits before, or
 * is not ready in time. `afterwards` runs once it has ended.
 */
export async function startServer(
  command: Command,
  ready: (server: Server, signal: AbortSignal) => Promise<void>,
  afterwards: () => void = () => undefined,
): Promise<Server> {
  const { child, said, exited } = launch(command);
  const leaderExited = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    if (child.kill('SIGTERM'))
      await Promise.race([leaderExited, delay(stopTimeoutMs, undefined, { ref: false })]);
    killGroup(child);
    await exited;
    afterwards();
  };
  const server: Server = {
    pid: child.pid ?? 0,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    exited,
    kill: (signal) => child.kill(signal),
    stop,
    [Symbol.asyncDispose]: stop,
  };
  const waiting = new AbortController();
  try {
    await Promise.race([
      ready(server, waiting.signal),
      exited.then((code) => Promise.reject(new Error(`exited with ${code} before it was ready`))),
      delay(readyTimeoutMs, undefined, waiting).then(() => Promise.reject(new Error('is not ready in time'))),
    ]);
  } catch (error) {
    await stop();
    throw new Error(`${command.program} ${command.args.join(' ')}\n${said.stdout}${said.stderr}`, {
      cause: error,
    });
  } finally {
    waiting.abort();
  }
  return server;
}

export interface Outcome {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; it is killed after `timeoutMs`. Any exit code is an outcome. */
export async function run(command: Command, timeoutMs = 60_000): Promise<Outcome> {
  const { child, said, exited } = launch(command);
  const timer = setTimeout(killGroup, timeoutMs, child);
  try {
    const code = await exited;
    return { code, ...said };
  } finally {
    clearTimeout(timer);
  }
}

/** Runs a program that has to succeed and returns its standard output. */
export async function output(command: Command, timeoutMs?: number): Promise<string> {
  const { code, stdout, stderr } = await run(command, timeoutMs);
  if (code === 0) return stdout;
  throw new Error(`${command.program} ${command.args.join(' ')} exited with ${code}\n${stdout}${stderr}`);
}
