/**
 * Where a cursor may stand: between grapheme clusters (Unicode Annex 29), so never inside an emoji, a flag or an accented
 * letter; and where words begin and end. Pure. What a word is follows bash: letters and digits, so that `_`, `/` and `.` divide.
 *
 * A line may be a pasted page, and V8 (to Node 24 at least) copies the whole text with every segment that it gives, so that only
 * small pieces around the place in question are segmented.
 */

const segmenter = new Intl.Segmenter('und', { granularity: 'grapheme' });
const WORD_START = /^[\p{L}\p{N}]/u;
/** Characters of which two beside each other are two clusters (Grapheme_Cluster_Break=Other, or a Hangul syllable): most of what is typed. */
const SIMPLE = /^[\x20-\x7e\u00c0-\u02af\u0400-\u0482\u048a-\u052f\u05d0-\u05ea\u0620-\u064a\u0e01-\u0e30\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]$/;
const PICTOGRAPH = /^(?!\p{Emoji_Modifier})\p{Extended_Pictographic}/u;
/** What may join even one of these that follows: a joiner, a leading Hangul consonant, Grapheme_Cluster_Break=Prepend (beyond the BMP, its blocks). */
const JOINS_NEXT = /(?:\u200d|[\u{11000}-\u{11fff}\u1100-\u115f\ua960-\ua97c\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e])$/u;
/** Code units to look at first. */
const PIECE = 64;

/** Whether a cursor may stand in front of the code unit `at`. */
export function isBoundary(text: string, at: number): boolean {
  if (at <= 0 || at >= text.length || bothSimple(text, at)) return true;
  const from = safeStart(text, at - 1);
  return segmenter.segment(text.slice(from, at + 2)).containing(at - from)?.index === at - from;
}

/** The next place for a cursor behind `at`, where one may stand as well; the end of `text` at the end. */
export function nextBoundary(text: string, at: number): number {
  if (at + 1 >= text.length) return text.length;
  if (bothSimple(text, at + 1)) return at + 1;
  for (let piece = PIECE; ; piece *= 4) {
    const end = at + (segmenter.segment(text.slice(at, at + piece)).containing(0)?.segment.length ?? 0);
    // A cluster that fills the piece may go on behind it.
    if (end < at + piece || end >= text.length) return end;
  }
}

/** Where the cluster begins that the code unit in front of `at` belongs to; 0 at the beginning. */
export function previousBoundary(text: string, at: number): number {
  if (at <= 1) return 0;
  if (bothSimple(text, at - 1)) return at - 1;
  const from = safeStart(text, at - 1);
  return from + (segmenter.segment(text.slice(from, at + 1)).containing(at - 1 - from)?.index ?? 0);
}

/** `at` itself if a cursor may stand there, otherwise the next place behind it. */
export function atBoundary(text: string, at: number): number {
  return isBoundary(text, at) ? at : nextBoundary(text, previousBoundary(text, at));
}

/** All clusters of `text`. */
export function clusters(text: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < text.length; ) {
    const next = nextBoundary(text, at);
    found.push(text.slice(at, next));
    at = next;
  }
  return found;
}

/** Behind the word at `at`, or behind the next one. */
export function wordEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && !startsWord(text, end)) end = nextBoundary(text, end);
  while (end < text.length && startsWord(text, end)) end = nextBoundary(text, end);
  return end;
}

/** In front of the word that ends at or spans `at`, or of the one before. */
export function wordStart(text: string, at: number): number {
  return startOf(text, at, (before) => startsWord(text, before));
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

function startsWord(text: string, at: number): boolean {
  return WORD_START.test(String.fromCodePoint(text.codePointAt(at) ?? 0));
}

/** Between the two there is always a boundary; spares the segmenter for most of what is typed. */
function bothSimple(text: string, at: number): boolean {
  return SIMPLE.test(text.charAt(at - 1)) && (at >= text.length || SIMPLE.test(text.charAt(at)));
}

/** The beginning of a cluster at or in front of `at`, from where the text is divided as in the whole of it. */
function safeStart(text: string, at: number): number {
  let from = at;
  while (from > 0 && !surelyStarts(text, from)) from -= 1;
  return from;
}

function surelyStarts(text: string, at: number): boolean {
  const point = String.fromCodePoint(text.codePointAt(at) ?? 0);
  return (SIMPLE.test(point) || PICTOGRAPH.test(point)) && !JOINS_NEXT.test(text.slice(Math.max(0, at - 2), at));
}
