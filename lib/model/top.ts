/**
 * The first few of many by some order, found in one pass and in the memory of those few.
 *
 * A heap whose root is the last of those kept: a newcomer that does not come before the root is turned away by one
 * comparison, which is all that most of them cost.
 *
 *             9         root: leaves when something smaller comes
 *           ╱   ╲
 *          7     4      every parent stands behind its children in the order
 *         ╱ ╲   ╱
 *        2   5 1
 */

/** Below 0 where `one` comes first, above where `other` does. */
export type Order<Item> = (one: Item, other: Item) => number;

export class Top<Item> {
  readonly #limit: number;
  readonly #order: Order<Item>;
  readonly #heap: Item[] = [];

  constructor(limit: number, order: Order<Item>) {
    this.#limit = limit;
    this.#order = order;
  }

  /** Keeps the item if it belongs to the first `limit` so far. */
  offer(item: Item): void {
    const heap = this.#heap;
    if (heap.length < this.#limit) {
      heap.push(item);
      this.#rise(heap.length - 1);
    } else if (this.#limit > 0 && this.#order(item, heap[0]!) < 0) {
      heap[0] = item;
      this.#sink();
    }
  }

  /** Those that were kept, in order. */
  sorted(): Item[] {
    return this.#heap.toSorted(this.#order);
  }

  #rise(from: number): void {
    const heap = this.#heap;
    const item = heap[from]!;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (this.#order(item, heap[parent]!) <= 0) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = item;
  }

  #sink(): void {
    const heap = this.#heap;
    const item = heap[0]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#order(heap[child + 1]!, heap[child]!) > 0) child++;
      if (this.#order(heap[child]!, item) <= 0) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = item;
  }
}
