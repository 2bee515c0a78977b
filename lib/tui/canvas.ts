/**
 * What Ink takes for its output: every picture that it makes arrives as one text. Ink would write them to the terminal
 * by itself, but not over its full height without clearing it each time, which flickers; `screen.ts` does.
 */
import { Writable } from 'node:stream';
import type { Size } from './state.ts';

export class Canvas extends Writable {
  /** Nothing but pictures is for a terminal. */
  readonly isTTY = false;
  readonly #size: () => Size;
  readonly #onFrame: (frame: string) => void;

  constructor(size: () => Size, onFrame: (frame: string) => void) {
    super({ decodeStrings: false });
    this.#size = size;
    this.#onFrame = onFrame;
  }

  get columns(): number {
    return this.#size().columns;
  }

  get rows(): number {
    return this.#size().rows;
  }

  override _write(frame: string, _encoding: string, done: () => void): void {
    if (frame !== '') this.#onFrame(frame);
    done();
  }
}
