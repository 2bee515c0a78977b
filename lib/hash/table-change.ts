/**
 * What becomes of the slots of a Maglev table when its backends change: how many go to another backend, and how many
 * had to, because their owner is due fewer of them than before.
 *
 *     slot      0  1  2  3  4  5
 *     before    a  a  b  b  c  c       a gives up one slot and c two: 3 had to move
 *     after     b  a  b  d  b  d       4 did: 0, 4, 5, and 3, which b lost though it has more than before
 */
import { noBackend } from './maglev.ts';

/** A table, and whose the indices in it are. */
export interface OwnedTable {
  readonly table: Uint16Array;
  /** By index; unique. */
  readonly names: readonly string[];
}

export interface TableChange {
  readonly slots: number;
  /** Slots that belong to another backend than before. */
  readonly moved: number;
  /** As many move in the best of all tables that give each backend as many slots. */
  readonly unavoidable: number;
}

/** Compares two tables of the same size. */
export function compareTables(before: OwnedTable, after: OwnedTable): TableChange {
  const slots = before.table.length;
  const indexAfter = new Map(after.names.map((name, index) => [name, index]));
  /** From an index of the one table to that of the other; -1 for who is not in it. */
  const translated = before.names.map((name) => indexAfter.get(name) ?? -1);
  let moved = 0;
  for (let slot = 0; slot < slots; slot++) {
    const owner = before.table[slot]!;
    const next = after.table[slot]!;
    const stays = owner === noBackend ? next === noBackend : translated[owner] === next;
    if (!stays) moved++;
  }
  const due = slotsOf(after);
  const kept = slotsOf(before).map((had, index) => Math.min(had, due[translated[index]!] ?? 0));
  const keptByNobody = Math.min(ownerless(before), ownerless(after));
  const unavoidable = kept.reduce((left, count) => left - count, slots - keptByNobody);
  return { slots, moved, unavoidable };
}

/** How many slots each backend has, by index. */
export function slotsOf({ table, names }: OwnedTable): Uint32Array {
  const owned = new Uint32Array(names.length);
  for (const owner of table) if (owner !== noBackend) owned[owner]!++;
  return owned;
}

function ownerless({ table }: OwnedTable): number {
  return table.reduce((count, owner) => count + Number(owner === noBackend), 0);
}
