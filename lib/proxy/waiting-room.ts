/**
 * Flows that wait for a backend to have room: first come, first served, and never more than there are seats.
 * A flow that only some backends are good for (its own under maglev and source, those that it has not failed
 * on) lets those behind it pass.
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

  /**
   * Offers a place to each in turn; `tryPlace` returns whether the flow took one. Stops at the first without one
   * that `speaksForAll`: where it finds none, nobody does.
   */
  admit(tryPlace: (flow: T) => boolean, speaksForAll: (flow: T) => boolean): void {
    for (const flow of this.#waiting) {
      if (tryPlace(flow)) this.#waiting.delete(flow);
      else if (speaksForAll(flow)) return;
    }
  }
}
