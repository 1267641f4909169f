/**
 * One line of output → the rows that a terminal of some width shows. Pure.
 *
 * A message that the terminal itself wraps would begin a row with words of its sender, who could make them look like
 * another speaker or a notice (HOSTILE 22). So lines are broken here, and each row says whose it is.
 */
import { clusters } from './editing/graphemes.js';
import type { Link } from './links.js';

/**
 * What a line is; decides its colour. `result` is the answer to a command in its fixed wording and is never broken;
 * `transfer` is a row of the live area.
 */
export type LineKind = 'message' | 'own-message' | 'notice' | 'error' | 'result' | 'help' | 'transfer';

export interface Line {
  readonly kind: LineKind;
  /** In front of the first row. */
  readonly prefix: string;
  /** In front of every further row. */
  readonly again: string;
  /** Already neutralised. */
  readonly text: string;
  /** The beginning of `prefix` that says when. */
  readonly stamp?: string;
  /** Whose words these are; decides the colour of the prefix. */
  readonly speaker?: string;
  /** The reader's own name, which stands out in `text`. */
  readonly mention?: string;
  /** What in `text` leads somewhere, in the order in which it stands there. */
  readonly links?: readonly Link[];
}

/** Cells that are left to the text, however long the prefix; half of a row where that is less. */
const LEAST_TEXT_CELLS = 8;

/**
 * The rows of `line` for a terminal of `columns` cells; one row where the width is unknown.
 * Broken at the last space that fits, inside a word where there is none.
 */
export function rowsOf(line: Line, columns: number | undefined): { prefix: string; text: string }[] {
  if (columns === undefined || line.kind === 'result' || line.kind === 'help') return [{ prefix: line.prefix, text: line.text }];
  const rows: { prefix: string; text: string }[] = [];
  const usable = usableCells(columns);
  const longest = usable - Math.min(LEAST_TEXT_CELLS, Math.floor(usable / 2));
  const clusters = clustersOf(line.text, Math.min(LONGEST_CLUSTER_CELLS, usable - longest));
  let prefix = shortenedInFront(line.prefix, longest);
  for (let from = 0; ; ) {
    const to = cutAt(clusters, from, Math.max(1, usable - cellsOf(prefix)));
    rows.push({ prefix, text: clusters.slice(from, to).join('').trimEnd() });
    if (to >= clusters.length) return rows;
    from = clusters[to] === ' ' ? to + 1 : to;
    prefix = shortenedInFront(line.again, longest);
  }
}

/** The cells of a row that are written to. One stays free: at the last column terminals differ in where the cursor is. */
export function usableCells(columns: number): number {
  return Math.max(1, columns - 1);
}

/** Up to which of the clusters a row goes that begins with `from` and has `room` cells: to a space where there is one; one cluster at least. */
function cutAt(clusters: readonly string[], from: number, room: number): number {
  let used = 0;
  let space = 0;
  for (let at = from; at < clusters.length; at += 1) {
    const cluster = clusters[at] ?? '';
    used += cellsOf(cluster);
    if (used > room && at > from) return space > 0 ? space : at;
    if (cluster === ' ') space = at + 1;
  }
  return clusters.length;
}

const PLAIN = /^[\x20-\x7e]*$/u;

/** A family of four takes eight where it is not drawn as one. In some scripts letters join without end, and a row has an end. */
const LONGEST_CLUSTER_CELLS = 12;

/**
 * What people take for one character: letters with their marks, whole emoji, flags. They are not cut in two, except where
 * one takes more than `mostCells`.
 */
export function clustersOf(text: string, mostCells: number = LONGEST_CLUSTER_CELLS): string[] {
  if (PLAIN.test(text)) return text.split('');
  return clusters(text).flatMap((cluster) => (cellsOf(cluster) <= mostCells ? [cluster] : Array.from(cluster)));
}

/** Its end, after an ellipsis, where it takes more than `cells`: what a prefix or a prompt ends with tells most. */
export function shortenedInFront(text: string, cells: number): string {
  if (cellsOf(text) <= cells) return text;
  let used = 1;
  let kept = '';
  for (const cluster of clustersOf(text).reverse()) {
    used += cellsOf(cluster);
    if (used > cells) break;
    kept = cluster + kept;
  }
  return `…${kept}`;
}

/** Exactly `cells` wide: filled up with spaces, or cut with an ellipsis at the end. */
export function fitted(text: string, cells: number): string {
  const taken = cellsOf(text);
  if (taken <= cells) return text + ' '.repeat(cells - taken);
  let used = 1;
  let cut = '';
  for (const cluster of clustersOf(text)) {
    used += cellsOf(cluster);
    if (used > cells) break;
    cut += cluster;
  }
  return `${cut}…${' '.repeat(Math.max(0, cells - cellsOf(cut) - 1))}`;
}

/** Cells that `text` takes, never too few: what is not surely narrow counts two. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const point of text) cells += cellsOfPoint(point);
  return cells;
}

/**
 * Into how many rows a terminal of `columns` cells wraps `text`, never too many: emoji and what belongs to them may be narrow,
 * or drawn as one sign.
 */
export function leastRowsOf(text: string, columns: number): number {
  let rows = 1;
  let used = 0;
  for (const cluster of clustersOf(text)) {
    const cells = SURELY_WIDE.test(cluster) ? 2 : NO_CELL.test(cluster.charAt(0)) ? 0 : 1;
    if (used + cells > columns) {
      rows += 1;
      used = 0;
    }
    used += cells;
  }
  return rows;
}

/** Han, kana and Hangul syllables: two cells in every terminal. */
const SURELY_WIDE = /^[\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff\uac00-\ud7a3]/u;
const NO_CELL = /\p{Mn}|\p{Me}|\p{Join_Control}|\p{Variation_Selector}/u;
const EMOJI_SELECTOR = '\ufe0f';
/** From here on characters may be two cells wide (Hangul Jamo come first, Unicode Annex 11). */
const FIRST_WIDE = 0x1100;
const SURELY_NARROW = /[\u1160-\u2319\u231c-\u2e7f]/u;

function cellsOfPoint(point: string): number {
  const value = point.codePointAt(0) ?? 0;
  if (value < 0x300) return 1;
  // It may turn a narrow sign into a wide emoji.
  if (point === EMOJI_SELECTOR) return 1;
  if (NO_CELL.test(point)) return 0;
  if (value < FIRST_WIDE) return 1;
  return SURELY_NARROW.test(point) && !/\p{Emoji_Presentation}/u.test(point) ? 1 : 2;
}

/** Items in columns of one width, read from top to bottom, in rows of at most `cells`. */
export function inColumns(items: readonly string[], cells: number): string[] {
  const gap = 2;
  const width = Math.min(cells, Math.max(0, ...items.map(cellsOf)));
  const across = Math.max(1, Math.floor((cells + gap) / (width + gap)));
  const height = Math.ceil(items.length / across);
  return Array.from({ length: height }, (_, row) => {
    const inRow = items.filter((_item, at) => at % height === row);
    return inRow.map((item) => fitted(item, width)).join(' '.repeat(gap)).trimEnd();
  });
}
