/** Somebody at a terminal with the dashboard, who calls keys as it does itself, and remembers which were pressed. */
import { bindings } from '../../lib/tui/keys.ts';
import { Person, type TerminalSize } from '../support/tmux.ts';

/** ECMA-48 §8.3.117, among other parameters perhaps. */
const inverse = new RegExp(`${String.fromCharCode(27)}\\[(?:\\d+;)*7m`);

/** The names that tmux has for keys, where they are others than ours. */
const tmuxNames: Readonly<Record<string, string>> = {
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  pageup: 'PageUp',
  pagedown: 'PageDown',
  home: 'Home',
  end: 'End',
  enter: 'Enter',
  escape: 'Escape',
  tab: 'Tab',
  'shift-tab': 'BTab',
  'ctrl-b': 'C-b',
  'ctrl-f': 'C-f',
  'ctrl-l': 'C-l',
  'ctrl-c': 'C-c',
};

/** The first line of a list is below the head, the tabs, its title and the names of its columns. */
const firstRow = 4;

export class DashboardUser extends Person {
  readonly #pressed = new Set<string>();

  constructor(size: TerminalSize = { columns: 80, rows: 24 }) {
    super(size);
  }

  /** Presses keys by the dashboard's own names for them. */
  override press(...keys: readonly string[]): void {
    for (const key of keys) this.#pressed.add(key);
    super.press(...keys.map((key) => tmuxNames[key] ?? key));
  }

  /** Fills a prompt that is open. */
  answer(text: string): void {
    this.write(text);
    this.press('enter');
  }

  /** Resolves once the screen has these very words. */
  async says(words: string): Promise<string> {
    return this.until(`the screen says "${words}"`, () => this.screen().includes(words));
  }

  /** The first words of so many lines of the list that is shown. */
  names(count: number): string[] {
    return this.lines()
      .slice(firstRow, firstRow + count)
      .map(firstWord);
  }

  /** The first word of the line that is chosen, which is the only one in inverse video below the tabs. */
  chosen(): string {
    const row = this.looks()
      .split('\n')
      .findIndex((line, index) => index >= firstRow && inverse.test(line));
    return firstWord(this.lines()[row] ?? '');
  }

  /** The keys that the dashboard knows and nobody has pressed. */
  untried(): string[] {
    return bindings.flatMap(({ keys }) => keys).filter((key) => !this.#pressed.has(key));
  }
}

function firstWord(line: string): string {
  return line.trim().split(' ')[0]!;
}
