/**
 * A list that is longer than the room for it, and the one row in it that is chosen. The choice follows its row by key,
 * wherever that goes when the list is sorted anew; if the row is gone, the choice stays at its place.
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
  readonly index: number;
  /** Of the first row that is shown. */
  readonly offset: number;
}

export const emptyList: ListState = { key: undefined, index: 0, offset: 0 };

/** The list after its rows have changed to those with `keys`. */
export function anchorList(list: ListState, keys: readonly string[], height: number): ListState {
  const found = list.key === undefined ? -1 : keys.indexOf(list.key);
  return chooseRow(list, found >= 0 ? found : list.index, keys, height);
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
  return isSame ? list : { key, index: chosen, offset };
}
