/**
 * Flows that wait for a backend to have room: first come, first served, and never more than there are seats.
 * A flow whose own backend is full (maglev, source) lets those behind it pass.
 */
export class WaitingRoom<T> {
  readonly #waiting = new Set<T>();

  get size(): number {
    return this.#waiting.size;
  }

  /** False when all `seats` are taken. */
  enter(flow: T, seats: number): boolean {
    if (this.#waiting.size >= seats) return false;
    this.#waiting.add(flow);
    return true;
  }

  leave(flow: T): void {
    this.#waiting.delete(flow);
  }

  /** Offers a place to each in turn; `tryPlace` returns whether the flow took one. Stops when `mayStop` and one did not. */
  admit(tryPlace: (flow: T) => boolean, mayStop: boolean): void {
    for (const flow of this.#waiting) {
      if (tryPlace(flow)) this.#waiting.delete(flow);
      else if (mayStop) return;
    }
  }
}
