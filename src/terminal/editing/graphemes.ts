/**
 * Where a cursor may stand: between grapheme clusters (Unicode Annex 29), so never inside an emoji, a flag or an accented
 * letter; and where words begin and end. Pure. What a word is follows bash: letters and digits, so that `_`, `/` and `.` divide.
 */

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
const WORD_START = /^[\p{L}\p{N}]/u;
const PRINTABLE_ASCII = /^[\x20-\x7e]$/;

/** Whether a cursor may stand in front of the code unit `at`. */
export function isBoundary(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length) return true;
  return bothPlain(text, at) || segmenter.segment(text).containing(at)?.index === at;
}

/** The nearest place for a cursor behind `at`; the end of `text` at the end. */
export function nextBoundary(text: string, at: number): number {
  if (at >= text.length) return text.length;
  if (bothPlain(text, at + 1)) return at + 1;
  const cluster = segmenter.segment(text).containing(at);
  return cluster === undefined ? text.length : cluster.index + cluster.segment.length;
}

/** The nearest place for a cursor in front of `at`; 0 at the beginning. */
export function previousBoundary(text: string, at: number): number {
  if (at <= 1) return 0;
  if (bothPlain(text, at - 1)) return at - 1;
  return segmenter.segment(text).containing(at - 1)?.index ?? 0;
}

/** `at` itself if a cursor may stand there, otherwise the next place behind it. */
export function atBoundary(text: string, at: number): number {
  return isBoundary(text, at) ? at : nextBoundary(text, at);
}

/** Behind the word at `at`, or behind the next one. */
export function wordEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && !inWord(text, end)) end = nextBoundary(text, end);
  while (end < text.length && inWord(text, end)) end = nextBoundary(text, end);
  return end;
}

/** In front of the word that ends at or spans `at`, or of the one before. */
export function wordStart(text: string, at: number): number {
  return startOf(text, at, (before) => inWord(text, before));
}

/** As {@link wordStart}, where only white space divides words. */
export function spacedWordStart(text: string, at: number): number {
  return startOf(text, at, (before) => !/\s/u.test(text.charAt(before)));
}

function startOf(text: string, at: number, inside: (before: number) => boolean): number {
  let start = at;
  let before = previousBoundary(text, start);
  for (; start > 0 && !inside(before); before = previousBoundary(text, start)) start = before;
  for (; start > 0 && inside(before); before = previousBoundary(text, start)) start = before;
  return start;
}

function inWord(text: string, at: number): boolean {
  return WORD_START.test(String.fromCodePoint(text.codePointAt(at) ?? 0));
}

/** Between two characters of plain ASCII there is always a boundary; spares the segmenter for most of what is typed. */
function bothPlain(text: string, at: number): boolean {
  return PRINTABLE_ASCII.test(text.charAt(at - 1)) && (at >= text.length || PRINTABLE_ASCII.test(text.charAt(at)));
}
