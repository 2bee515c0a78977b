/**
 * A timer wheel over doubly linked lists in typed arrays (Varghese and Lauck, "Hashed and Hierarchical Timing
 * Wheels", scheme 4). Arming, disarming and moving on cost the same however many entries wait.
 *
 *                 hand: periods up to here are done
 *                  ▼
 *     ┌──────┬──────┬──────┬─ … ─┬──────┐
 *     │ slot │ slot │ slot │     │ slot │        slot = period mod slots
 *     └──┬───┴──────┴──┬───┴─ … ─┴──────┘
 *        ▼             ▼
 *   sentinel ⇄ a ⇄ b   sentinel ⇄ c            circular, through `next` and `previous`
 *
 * A wheel is coarse on purpose: it knows periods, not deadlines. An entry further away than the wheel reaches
 * waits in the farthest slot. Whoever takes an entry out compares its true deadline and arms it anew if it is
 * early; so a deadline may be put off without touching the wheel at all, which is what a packet does.
 */

/** The links of all entries and all sentinels; several wheels may share them, an entry is in one at most. */
export interface Links {
  readonly next: Int32Array;
  readonly previous: Int32Array;
}

export class TimerWheel {
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #firstSentinel: number;
  readonly #slots: number;
  #hand: number;
  #size = 0;

  /**
   * A wheel of `slots` periods (a power of two) whose sentinels are the link positions from `firstSentinel` on;
   * `period` is the present.
   */
  constructor(links: Links, firstSentinel: number, slots: number, period: number) {
    this.#next = links.next;
    this.#previous = links.previous;
    this.#firstSentinel = firstSentinel;
    this.#slots = slots;
    this.#hand = period;
    for (let at = firstSentinel; at < firstSentinel + slots; at++) {
      this.#next[at] = at;
      this.#previous[at] = at;
    }
  }

  /** Puts an entry that is in no wheel where `take` finds it once `period` has come; at once is the next period. */
  arm(entry: number, period: number): void {
    let distance = period - this.#hand;
    if (distance < 1) distance = 1;
    if (distance >= this.#slots) distance = this.#slots - 1;
    const sentinel = this.#firstSentinel + ((this.#hand + distance) & (this.#slots - 1));
    const last = this.#previous[sentinel]!;
    this.#next[last] = entry;
    this.#previous[entry] = last;
    this.#next[entry] = sentinel;
    this.#previous[sentinel] = entry;
    this.#size++;
  }

  /** Takes an entry out of whichever slot it is in. */
  disarm(entry: number): void {
    const next = this.#next[entry]!;
    const previous = this.#previous[entry]!;
    this.#next[previous] = next;
    this.#previous[next] = previous;
    this.#size--;
  }

  /** Takes out an entry whose period is not after `period`; 0 when none is left. Not before it is 0 time moves on. */
  take(period: number): number {
    while (this.#hand < period) {
      const entry = this.#firstOf(this.#hand + 1);
      if (entry !== 0) {
        this.disarm(entry);
        return entry;
      }
      this.#hand++;
    }
    return 0;
  }

  /** The entry that will be taken soonest, left where it is; 0 when the wheel is empty. Looks at every slot at worst. */
  soonest(): number {
    if (this.#size === 0) return 0;
    for (let distance = 1; distance < this.#slots; distance++) {
      const entry = this.#firstOf(this.#hand + distance);
      if (entry !== 0) return entry;
    }
    return 0;
  }

  #firstOf(period: number): number {
    const sentinel = this.#firstSentinel + (period & (this.#slots - 1));
    const entry = this.#next[sentinel]!;
    return entry === sentinel ? 0 : entry;
  }
}
