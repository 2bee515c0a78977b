/** A few lines at the bottom of a terminal that are drawn again in place, and what was there before stays above. */
import type { Terminal } from '../terminal.ts';

/** ECMA-48 and DEC private modes: what a terminal is told. */
const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
/** A line that is too long is cut by the terminal itself, and so every line stays one. */
const noWrap = '\u001b[?7l';
const wrap = '\u001b[?7h';
const clearLine = '\u001b[K';
const clearBelow = '\u001b[J';
const upBy = (lines: number) => (lines === 0 ? '' : `\u001b[${lines}A`);

export interface Screen {
  draw(lines: readonly string[]): void;
  /** Wipes the lines and gives the cursor back. */
  close(): void;
}

/** Takes the cursor away until the screen is closed, or the process ends without. */
export function openScreen(terminal: Terminal): Screen {
  let drawn = 0;
  const restore = () => terminal.draw(wrap + showCursor);
  process.once('exit', restore);
  terminal.draw(hideCursor);
  return {
    draw(lines) {
      // What does not fit could not be reached again to be drawn over.
      const fitting = lines.slice(0, terminal.size.rows - 1);
      const text = fitting.map((line) => `${line}${clearLine}\n`).join('');
      terminal.draw(`${upBy(drawn)}\r${noWrap}${text}${wrap}${clearBelow}`);
      drawn = fitting.length;
    },
    close() {
      terminal.draw(`${upBy(drawn)}\r${clearBelow}`);
      drawn = 0;
      restore();
      process.off('exit', restore);
    },
  };
}
