/**
 * Which known word somebody may have meant. Pure; the words are given to it.
 */

/** Longer words are compared by their beginning: what is typed may be of any length. */
const COMPARED_CHARS = 40;

/** The one of `known` with the fewest typing mistakes between it and `word`, whatever the case, if there is a likely one. */
export function nearestWord(word: string, known: Iterable<string>): string | undefined {
  const wanted = word.toUpperCase().slice(0, COMPARED_CHARS);
  let best: { readonly word: string; readonly distance: number } | undefined;
  for (const one of known) {
    const distance = typingDistance(wanted, one.toUpperCase());
    if (best === undefined || distance < best.distance) best = { word: one, distance };
  }
  if (best === undefined || best.distance > Math.max(2, Math.floor(wanted.length / 3))) return undefined;
  return best.word;
}

/** Optimal string alignment: insertions, deletions, replacements, neighbours exchanged. */
function typingDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
