/**
 * A shell that waits for this process to end. If it ends without a word, killed by SIGKILL, the shell gives the terminal
 * back in its place: nobody is left with a screen that shows nothing of what he types. A process that ends by itself
 * kills the shell first: to give back twice is to move the cursor to where it was, over the last words.
 *
 *     this process ── pipe ──▶ sh    end of file: stty, and leaves the alternate screen
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { giveScreenBack } from './screen.ts';

const input = 3;
const output = 4;

/** It notes how the terminal is, says so, and then waits. Signals to the whole group are not for it. */
const script = `trap '' INT TERM HUP QUIT TSTP TTOU TTIN
saved=$(stty -g <&${input}) || exit
echo ready
read -r _
stty "$saved" <&${input}
printf '%b' "$1" >&${output}`;

export interface Guardian {
  /** The terminal has been given back: the shell ends and does nothing, as it does when the process exits. */
  dismiss(): void;
}

/** Resolves once the state of the terminal is noted, which has to be before it changes; without a shell it does nothing. */
export async function postGuardian(stdinFd: number, stdoutFd: number): Promise<Guardian> {
  const escaped = giveScreenBack.replaceAll('\u001b', '\\033');
  const shell = spawn('/bin/sh', ['-c', script, 'sh', escaped], {
    stdio: ['pipe', 'pipe', 'ignore', stdinFd, stdoutFd],
    detached: true,
  });
  const [life, answer] = [shell.stdin as Socket, shell.stdout as Socket];
  // A shell that is gone guards nothing, and nothing else depends on it.
  shell.on('error', () => undefined);
  life.on('error', () => undefined);
  await Promise.race([once(answer, 'data'), once(answer, 'close')]);
  answer.destroy();
  life.unref();
  shell.unref();
  const dismiss = (): void => {
    process.off('exit', dismiss);
    // At once: a process that exits has no later.
    shell.kill('SIGKILL');
  };
  process.once('exit', dismiss);
  return { dismiss };
}
