/**
 * One line of output → the rows that a terminal of some width shows. Pure.
 *
 * A message that the terminal itself wraps would begin a row with words of its sender, who could make them look like
 * another speaker or a notice (HOSTILE 22). So lines are broken here, and each row says whose it is.
 */

/** What a line is; decides its colour. `result` is the answer to a command in its fixed wording and is never broken. */
export type LineKind = 'message' | 'own-message' | 'notice' | 'error' | 'result' | 'help';

export interface Line {
  readonly kind: LineKind;
  /** In front of the first row. */
  readonly prefix: string;
  /** In front of every further row. */
  readonly again: string;
  /** Already neutralised. */
  readonly text: string;
}

/** Cells that are always left to the text, however narrow the terminal and however long the prefix. */
const LEAST_TEXT_CELLS = 8;

/**
 * The rows of `line` for a terminal of `columns` cells; one row where the width is unknown.
 * Broken at the last space that fits, inside a word where there is none.
 */
export function rowsOf(line: Line, columns: number | undefined): { prefix: string; text: string }[] {
  if (columns === undefined || line.kind === 'result' || line.kind === 'help') return [{ prefix: line.prefix, text: line.text }];
  const rows: { prefix: string; text: string }[] = [];
  let prefix = line.prefix;
  let rest = line.text;
  for (;;) {
    // One cell stays free: at the last column terminals differ in where the cursor is.
    const room = Math.max(LEAST_TEXT_CELLS, columns - cellsOf(prefix) - 1);
    const cut = cutAt(rest, room);
    rows.push({ prefix, text: rest.slice(0, cut).trimEnd() });
    if (cut >= rest.length) return rows;
    rest = rest.slice(cut).replace(/^ /u, '');
    prefix = line.again;
  }
}

/** How many code units of `text` go into `room` cells, more than none. */
function cutAt(text: string, room: number): number {
  let used = 0;
  let space = 0;
  let at = 0;
  for (const point of text) {
    const cells = cellsOfPoint(point);
    if (used + cells > room && at > 0) return space > 0 ? space : at;
    used += cells;
    at += point.length;
    if (point === ' ') space = at;
  }
  return text.length;
}

/** Exactly `cells` wide: filled up with spaces, or cut with an ellipsis at the end. */
export function fitted(text: string, cells: number): string {
  const taken = cellsOf(text);
  if (taken <= cells) return text + ' '.repeat(cells - taken);
  let used = 1;
  let cut = '';
  for (const point of text) {
    used += cellsOfPoint(point);
    if (used > cells) break;
    cut += point;
  }
  return `${cut}…${' '.repeat(Math.max(0, cells - cellsOf(cut) - 1))}`;
}

/** Cells that `text` takes, never too few: what is not surely narrow counts two. */
export function cellsOf(text: string): number {
  let cells = 0;
  for (const point of text) cells += cellsOfPoint(point);
  return cells;
}

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
