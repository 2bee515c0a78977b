/**
 * Gives names small numbers that last. A name keeps its number while it is configured; afterwards the number is
 * retired until nobody uses it, and only then given to another name.
 */

export interface NumberedName {
  readonly name: string;
  readonly number: number;
  readonly retired: boolean;
}

export class Numbering {
  readonly #limit: number;
  readonly #numbers = new Map<string, number>();

  /** Numbers are 1 to `limit - 1`. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Takes `names` for what is configured now, each once. Answers with all names that have a number, the retired
   * ones for which `inUse` holds last; undefined, and nothing changed, if there are more than numbers.
   */
  assign(names: readonly string[], inUse: (number: number) => boolean): NumberedName[] | undefined {
    const wanted = new Set(names);
    const kept = [...this.#numbers].filter(([name, number]) => wanted.has(name) || inUse(number));
    const taken = new Set(kept.map(([, number]) => number));
    const next = new Map(kept);
    let candidate = 1;
    for (const name of wanted) {
      if (next.has(name)) continue;
      while (taken.has(candidate)) candidate++;
      if (candidate >= this.#limit) return undefined;
      next.set(name, candidate);
      taken.add(candidate);
    }
    this.#numbers.clear();
    for (const [name, number] of next) this.#numbers.set(name, number);
    const all = [...next].map(([name, number]) => ({ name, number, retired: !wanted.has(name) }));
    return [...all.filter(({ retired }) => !retired), ...all.filter(({ retired }) => retired)];
  }
}
