/** The known word that a mistyped one was probably meant to be. */

/**
 * The one of `known` that takes the fewest edits to reach from `word`: letters put in, left out, replaced or swapped
 * with their neighbour (optimal string alignment). Undefined when even that takes more than a third of the word.
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const count = edits(word, candidate);
    if (count >= fewest) continue;
    fewest = count;
    best = candidate;
  }
  return best;
}

/** Fills, row by row, the table of edits between the first `i` letters of `from` and the first `j` of `to`. */
function edits(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1];
      let count = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]) {
        count = Math.min(count, beforeLast[j - 2]! + 1);
      }
      row.push(count);
    }
    beforeLast = last;
    last = row;
  }
  return last[to.length]!;
}
