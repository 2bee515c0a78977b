/**
 * Names with numbers and with what the packet path knows of them. A name that is configured no more is retired: it
 * keeps its number until all workers decide by tables in which it is retired, so that none gives it to a new flow,
 * and no flow uses it any longer.
 */
import { Numbering } from '../forward/numbering.ts';
import { ExitCode, SluiceError } from '../model/errors.ts';

export interface Lasting<Value> {
  readonly number: number;
  /** As it was when the name was last configured. */
  readonly value: Value;
  readonly retired: boolean;
}

export interface Assignment<Value> {
  /** What is configured, then what is retired. */
  readonly all: readonly Lasting<Value>[];
  /** Numbers that have been given to another name than before. */
  readonly fresh: readonly number[];
  /** The number of a name, if it has one. */
  numberOf(name: string): number | undefined;
}

interface Entry<Value> extends Lasting<Value> {
  /** The generation in which it was published as retired for the first time. */
  readonly retiredIn: number | undefined;
}

export class LastingNumbers<Value> {
  readonly #what: string;
  readonly #limit: number;
  readonly #numbering: Numbering;
  #entries: ReadonlyMap<string, Entry<Value>> = new Map();

  /** Numbers for `what` (in the plural, for the error), from 1 to `limit - 1`. */
  constructor(what: string, limit: number) {
    this.#what = what;
    this.#limit = limit;
    this.#numbering = new Numbering(limit);
  }

  /**
   * Takes `configured` for what `generation` is to hold. Every worker decides by generation `taken` or a later one;
   * `inUse` tells whether a number still has flows. Throws ERR_SLUICE_TOO_MANY, with nothing changed.
   */
  assign(
    configured: ReadonlyMap<string, Value>,
    generation: number,
    taken: number,
    inUse: (number: number) => boolean,
  ): Assignment<Value> {
    const retiredIn = new Map(Array.from(this.#entries.values(), (entry) => [entry.number, entry.retiredIn]));
    const numbered = this.#numbering.assign(
      [...configured.keys()],
      (number) => (retiredIn.get(number) ?? Number.POSITIVE_INFINITY) > taken || inUse(number),
    );
    if (numbered === undefined) {
      throw new SluiceError(
        'ERR_SLUICE_TOO_MANY',
        `there are more than ${this.#limit - 1} ${this.#what}, those with flows left included`,
        { exitCode: ExitCode.configInvalid },
      );
    }
    const before = this.#entries;
    const entries = new Map<string, Entry<Value>>();
    for (const { name, number, retired } of numbered) {
      const known = before.get(name);
      const value = configured.get(name) ?? known!.value;
      entries.set(name, {
        number,
        value,
        retired,
        retiredIn: retired ? (known?.retiredIn ?? generation) : undefined,
      });
    }
    this.#entries = entries;
    const fresh = [...entries].filter(([name, { number }]) => before.get(name)?.number !== number);
    return {
      all: [...entries.values()],
      fresh: fresh.map(([, { number }]) => number),
      numberOf: (name) => entries.get(name)?.number,
    };
  }
}
