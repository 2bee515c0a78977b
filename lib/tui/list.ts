/**
 * A list that is longer than the room for it, and the one row in it that is chosen. A row that a person has chosen is
 * held: the choice follows it by key, wherever it goes when the list is sorted anew. If the row is gone, or nobody has
 * chosen yet, the choice stays at its place.
 *
 *        offset ─▶ ┌─────────┐
 *                  │         │
 *        index ──▶ │▓▓▓▓▓▓▓▓▓│  height
 *                  │         │
 *                  └─────────┘
 */
export interface ListState {
  /** Of the chosen row; undefined while the list is empty. */
  readonly key: string | undefined;
  readonly isHeld: boolean;
  readonly index: number;
  /** Of the first row that is shown. */
  readonly offset: number;
}

export const emptyList: ListState = { key: undefined, isHeld: false, index: 0, offset: 0 };

/** The list after its rows have changed to those with `keys`. */
export function anchorList(list: ListState, keys: readonly string[], height: number): ListState {
  const found = list.isHeld && list.key !== undefined ? keys.indexOf(list.key) : -1;
  return chooseRow(list, found >= 0 ? found : list.index, keys, height);
}

/** The list with its chosen row held, or let go. */
export function holdRow(list: ListState, isHeld: boolean): ListState {
  return list.isHeld === isHeld ? list : { ...list, isHeld };
}

/** The list with row `index` chosen, or the nearest that there is, and in sight. */
export function chooseRow(
  list: ListState,
  index: number,
  keys: readonly string[],
  height: number,
): ListState {
  const chosen = Math.max(0, Math.min(index, keys.length - 1));
  const lowest = Math.max(0, chosen - height + 1);
  const offset = Math.min(Math.max(list.offset, lowest), chosen, Math.max(0, keys.length - height));
  const key = keys[chosen];
  const isSame = key === list.key && chosen === list.index && offset === list.offset;
  return isSame ? list : { ...list, key, index: chosen, offset };
}
