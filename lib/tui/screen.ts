/**
 * The whole screen of a terminal, taken for as long as it is open and given back as it was. Frames are lines; of each
 * only the lines that differ from the frame before are written, in one piece, so that nothing flickers.
 */
import { writeSync } from 'node:fs';
import type { Size } from './state.ts';

const csi = '\u001b[';
/** DEC private modes: the alternate screen, the cursor, the wrapping of lines, and output that appears all at once. */
const takeScreen = `${csi}?1049h${csi}?25l${csi}?7l${csi}H${csi}2J`;
/** What undoes it; also what a terminal is sent whose owner was killed. */
export const giveScreenBack = `${csi}?2026l${csi}0m${csi}?7h${csi}?25h${csi}?1049l`;
const beginFrame = `${csi}?2026h`;
const endFrame = `${csi}?2026l`;
const clearScreen = `${csi}0m${csi}H${csi}2J`;

const usual: Size = { columns: 80, rows: 24 };

const lineAt = (row: number) => `${csi}${row + 1};1H${csi}2K`;

/** A terminal that can be written to. */
export interface Display {
  readonly fd: number;
  readonly columns: number;
  readonly rows: number;
}

export class Screen {
  readonly #display: Display;
  #drawn: readonly string[] = [];
  #isOpen = false;
  readonly #close = (): void => this.close();

  constructor(display: Display) {
    this.#display = display;
  }

  /** Terminals that do not know their size say 0. */
  get size(): Size {
    const { columns, rows } = this.#display;
    return { columns: columns || usual.columns, rows: rows || usual.rows };
  }

  /** Takes the screen; whatever ends the process, short of SIGKILL, gives it back. */
  open(): void {
    this.#isOpen = true;
    // The monitor hears of an error before whoever says it does.
    process.once('uncaughtExceptionMonitor', this.#close).once('exit', this.#close);
    this.#write(takeScreen);
  }

  /** Shows a frame: lines with line feeds between. */
  draw(frame: string): void {
    if (!this.#isOpen) return;
    const lines = frame.split('\n').slice(0, this.size.rows);
    const before = this.#drawn;
    const rows = Math.max(lines.length, before.length);
    const changed = Array.from({ length: rows }, (_, row) =>
      lines[row] === before[row] ? '' : lineAt(row) + (lines[row] ?? ''),
    ).join('');
    this.#drawn = lines;
    if (changed !== '') this.#write(beginFrame + changed + endFrame);
  }

  /** Forgets what is on the screen: the next frame is drawn whole. */
  clear(): void {
    if (!this.#isOpen) return;
    this.#drawn = [];
    this.#write(clearScreen);
  }

  /** Gives the screen back. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('uncaughtExceptionMonitor', this.#close).off('exit', this.#close);
    this.#write(giveScreenBack);
  }

  /** At once: a process that ends has no later. A terminal that is gone needs nothing. */
  #write(text: string): void {
    for (let bytes = Buffer.from(text); bytes.length > 0; ) {
      try {
        bytes = bytes.subarray(writeSync(this.#display.fd, bytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      }
    }
  }
}
