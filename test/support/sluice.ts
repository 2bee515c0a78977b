/** The built program, started the way its users start it. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Outcome, run, type Server, startServer } from './child.ts';
import { scratch } from './scratch.ts';

/** What `npx sluice` starts. */
export const entry = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));

/** A line of its stdout with `--json`. */
export interface Event {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** The first of them: what is served and where it is controlled. */
export interface ReadyEvent extends Event {
  readonly event: 'ready';
  readonly services: readonly {
    readonly name: string;
    readonly mode: string;
    readonly listen: string;
    readonly backends: number;
  }[];
  /** Path of the control socket. */
  readonly control: string;
}

export interface Sluice extends Server {
  readonly ready: ReadyEvent;
  /** Every line that it has printed so far. */
  events(): Event[];
}

export interface SluiceOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly core?: number | undefined;
  readonly namespace?: string | undefined;
  /** Another program to start instead, with its first arguments. */
  readonly command?: readonly string[];
}

/**
 * Starts `sluice ARGS --no-tui --json` and waits until it accepts traffic. Unless the arguments name it, its
 * control socket lies in a directory of its own, so that it meets no other instance of the machine.
 */
export async function sluice(args: readonly string[], options: SluiceOptions = {}): Promise<Sluice> {
  const { command = [process.execPath, entry], ...where } = options;
  const [program = '', ...first] = command;
  const directory = scratch();
  const isNamed = args.includes('--name') || args.includes('--control');
  const control = isNamed ? [] : ['--control', join(directory.path, 'control.sock')];
  const server = await startServer(
    { program, args: [...first, ...args, ...control, '--no-tui', '--json'], ...where },
    async (started, signal) => {
      while (findReady(started) === undefined) await delay(2, undefined, { signal });
    },
    directory.remove,
  );
  return { ...server, ready: findReady(server)!, events: () => eventsOf(server) };
}

function findReady(server: Server): ReadyEvent | undefined {
  return eventsOf(server).find((event): event is ReadyEvent => event.event === 'ready');
}

/** The lines that are complete. */
function eventsOf(server: Server): Event[] {
  return server
    .stdout()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line));
}

/** Runs `sluice ARGS` to its end. */
export function runSluice(
  args: readonly string[],
  options: Omit<SluiceOptions, 'command'> = {},
): Promise<Outcome> {
  return run({ program: process.execPath, args: [entry, ...args], ...options });
}
