/**
 * A person at a terminal: a shell in a window of tmux, whose keys are pressed and whose screen is read. Each has a tmux
 * server of its own, which ends with it.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { scratch } from './scratch.ts';
import { toolPath } from './tools.ts';

/** Far beyond what anything takes on a busy machine. */
const patienceMs = 30_000;

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export class Person implements Disposable {
  /** Of the server's socket, which it leaves behind. */
  readonly #directory = scratch();

  /** Sits down at a shell without a prompt of its own, where `env` is set. */
  constructor(size: TerminalSize, env: Readonly<Record<string, string>> = {}) {
    const variables = Object.entries({ PS1: '$ ', ...env }).flatMap(([name, value]) => [
      '-e',
      `${name}=${value}`,
    ]);
    this.#tmux(
      ...['-f', '/dev/null', 'new-session', '-d', '-x', `${size.columns}`, '-y', `${size.rows}`],
      ...variables,
      'sh',
    );
  }

  /** Of the shell, or of what has taken its place. */
  get pid(): number {
    return Number(this.#tmux('display-message', '-p', '#{pane_pid}'));
  }

  /** Types a line and sends it. */
  type(line: string): void {
    this.#tmux('send-keys', '-l', line);
    this.press('Enter');
  }

  /** Presses keys, by the names that tmux has for them (`Down`, `C-c`), or what they write. */
  press(...keys: readonly string[]): void {
    for (const key of keys) this.#tmux('send-keys', key === ';' ? '\\;' : key);
  }

  /** Writes text where a prompt is open. */
  write(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  /** What is on the screen, line by line. */
  lines(): string[] {
    return this.#tmux('capture-pane', '-p').split('\n').slice(0, -1);
  }

  screen(): string {
    return this.lines().join('\n');
  }

  /** The same with escape sequences for its looks. */
  looks(): string {
    return this.#tmux('capture-pane', '-p', '-e');
  }

  resize({ columns, rows }: TerminalSize): void {
    this.#tmux('resize-window', '-x', `${columns}`, '-y', `${rows}`);
  }

  /** Whether the terminal is as a shell wants it: its own screen, and the cursor visible. */
  isAtShell(): boolean {
    return this.#tmux('display-message', '-p', '#{alternate_on} #{cursor_flag}').trim() === '0 1';
  }

  /** Resolves once the screen has what is looked for; rejects with the screen when it takes far too long. */
  async sees(what: RegExp, patience = patienceMs): Promise<string> {
    return this.until(`the screen has ${what}`, () => what.test(this.screen()), patience);
  }

  /** Resolves to the screen once the condition holds. */
  async until(what: string, condition: () => boolean, patience = patienceMs): Promise<string> {
    const deadlineMs = performance.now() + patience;
    while (!condition()) {
      if (performance.now() > deadlineMs) throw new Error(`waited in vain until ${what}:\n${this.screen()}`);
      await delay(50);
    }
    return this.screen();
  }

  /** The terminal answers to what is typed as before: it echoes, and cuts lines into words. */
  async isUsable(): Promise<void> {
    await this.until('the screen is given back', () => this.isAtShell());
    this.type(
      'clear; stty -a | tr " ;" "\\n\\n" | grep -xE -- "-?(icanon|echo|isig)" | tr "\\n" " "; echo done',
    );
    await this.sees(/isig icanon echo done/);
  }

  [Symbol.dispose](): void {
    try {
      this.#tmux('kill-server');
    } catch {
      // It has ended by itself.
    }
    this.#directory.remove();
  }

  #tmux(...args: readonly string[]): string {
    return execFileSync(toolPath('tmux'), ['-S', join(this.#directory.path, 'tmux'), ...args], {
      encoding: 'utf8',
      env: { ...process.env, TMUX: '', LC_ALL: 'C.UTF-8' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }
}
