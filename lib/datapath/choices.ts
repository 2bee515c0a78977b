/**
 * The Maglev tables by which VIPs choose among their backends: built here, on the main thread, once for all workers and
 * only when their members change.
 */
import { buildMaglev } from '../hash/maglev.ts';
import { SipHash } from '../hash/siphash.ts';
import type { Choice, Member } from './publication.ts';

/** Which VIPs have a Maglev table: those whose policy places by hash, or all, for packets that have to be. */
export type TablesWanted = 'by-policy' | 'always';

export class Choices {
  readonly #hash: SipHash;
  readonly #wanted: TablesWanted;
  /** Of the last generation, by members. */
  #tables: ReadonlyMap<string, Uint16Array> = new Map();

  constructor(hashSeed: string, tables: TablesWanted) {
    this.#hash = new SipHash(hashSeed);
    this.#wanted = tables;
  }

  /** Adds tables to those that need one. */
  complete(choices: readonly Choice[]): readonly Choice[] {
    const tables = new Map<string, Uint16Array>();
    const completed = choices.map((choice) => {
      const byHash = choice.balance === 'maglev' || choice.balance === 'source';
      if (!byHash && this.#wanted === 'by-policy') return choice;
      const key = JSON.stringify(choice.members.map(({ name, weight }) => [name, weight]));
      const table = tables.get(key) ?? this.#tables.get(key) ?? this.#build(choice.members);
      tables.set(key, table);
      return { ...choice, table };
    });
    this.#tables = tables;
    return completed;
  }

  #build(members: readonly Member[]): Uint16Array {
    const table = buildMaglev(members, this.#hash);
    const shared = new Uint16Array(new SharedArrayBuffer(table.byteLength));
    shared.set(table);
    return shared;
  }
}
