/**
 * Who takes the new flows of each VIP: the backends that are up and have a weight, and what a service wants when there
 * are none. Maglev tables are built here, on the main thread, once for all workers and only when their members change.
 */
import { buildMaglev } from '../hash/maglev.ts';
import { SipHash } from '../hash/siphash.ts';
import type { Choice, Member } from './publication.ts';
import type { Vip, VipBackend } from './settings.ts';

export class Choices {
  readonly #hash: SipHash;
  /** By VIP: the names of the backends that were up when last any was. */
  readonly #lastUp = new Map<string, ReadonlySet<string>>();
  /** Of the last generation, by members. */
  #tables: ReadonlyMap<string, Uint16Array> = new Map();

  constructor(hashSeed: string) {
    this.#hash = new SipHash(hashSeed);
  }

  /** The backends of a VIP that may take new flows. `name` is the VIP's, by which it is known again next time. */
  candidates(name: string, { backends, whenAllDown }: Vip): readonly VipBackend[] {
    const enabled = backends.filter(({ weight }) => weight > 0);
    const up = enabled.filter((backend) => backend.up);
    if (up.length > 0) {
      this.#lastUp.set(name, new Set(up.map((backend) => backend.name)));
      return up;
    }
    if (whenAllDown !== 'last-known') return [];
    const lastKnown = enabled.filter((backend) => this.#lastUp.get(name)?.has(backend.name));
    return lastKnown.length > 0 ? lastKnown : enabled;
  }

  /** Adds tables to those that need one. */
  complete(choices: readonly Choice[]): readonly Choice[] {
    const tables = new Map<string, Uint16Array>();
    const completed = choices.map((choice) => {
      if (choice.balance !== 'maglev' && choice.balance !== 'source') return choice;
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
