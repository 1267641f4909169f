/**
 * Whether a message addresses its reader by name. Pure.
 */

/** More need not be found: a message may be nothing but a name. */
const MENTIONS_PER_TEXT = 100;

/**
 * Where in `text` the name stands as a word of its own, whatever the case; an @ in front belongs to it. In code units,
 * without overlaps.
 */
export function mentionsOf(text: string, name: string): { readonly from: number; readonly to: number }[] {
  if (name === '') return [];
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&');
  // What else a name may hold joins it with its neighbours, but a full stop or a hyphen at its end is the sentence's.
  const word = new RegExp(`(?<![\\p{L}\\p{N}_.-])@?${escaped}(?![\\p{L}\\p{N}_]|[.-][\\p{L}\\p{N}_])`, 'giu');
  const places: { from: number; to: number }[] = [];
  for (const { index, 0: found } of text.matchAll(word)) {
    places.push({ from: index, to: index + found.length });
    if (places.length >= MENTIONS_PER_TEXT) break;
  }
  return places;
}
