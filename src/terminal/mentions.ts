/**
 * Whether a message addresses its reader by name. Pure.
 */

/**
 * Where in `text` the name stands as a word of its own, whatever the case; an @ in front belongs to it. In code units,
 * without overlaps.
 */
export function mentionsOf(text: string, name: string): { readonly from: number; readonly to: number }[] {
  if (name === '') return [];
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&');
  // What else a name may hold joins it with its neighbours, but a full stop or a hyphen at its end is the sentence's.
  const word = new RegExp(`(?<![\\p{L}\\p{N}_.-])@?${escaped}(?![\\p{L}\\p{N}_]|[.-][\\p{L}\\p{N}_])`, 'giu');
  return Array.from(text.matchAll(word), ({ index, 0: found }) => ({ from: index, to: index + found.length }));
}
