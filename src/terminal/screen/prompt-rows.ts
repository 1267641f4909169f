/**
 * Prompt, typed line and hint → rows of a terminal, and where the cursor stands in them. Pure.
 *
 * Rows are broken here and not by the terminal, so that it is known how many there are, whatever the terminal thinks of
 * the width of an emoji.
 */
import type { EditorView } from '../editing/editing-types.js';
import { cellsOf, clustersOf, fitted, shortenedInFront } from '../layout.js';
import type { Span } from '../screen.js';

/** One row as it is written, and without its colours. */
export interface DrawnRow {
  readonly painted: string;
  readonly text: string;
}

/** Rows, and the cursor: in which of them, and what stands in front of it there. */
export interface PromptBlock {
  readonly rows: readonly DrawnRow[];
  readonly cursorRow: number;
  readonly beforeCursor: DrawnRow;
}

export interface PromptSpace {
  /** Cells of a row that may be used. */
  readonly cells: number;
  /** Rows at most; of more, those around the cursor are shown. */
  readonly rows: number;
  /** Colours the hint. */
  readonly paintHint: (text: string) => string;
}

/** Cells that are left to what is typed, however long the prompt; half of a row where that is less. */
const LEAST_TYPED_CELLS = 16;
/** A hint in less space than this says nothing. */
const LEAST_HINT_CELLS = 4;

/** @param prompt In front of the text. @param shown As the terminal can show it: for every cluster of `view.text`. */
export function promptBlock(prompt: readonly Span[], view: Pick<EditorView, 'text' | 'cursor' | 'hint'>, space: PromptSpace, shown: (cluster: string) => string = (cluster) => cluster): PromptBlock {
  const first = shortenedPrompt(prompt, space.cells - Math.min(LEAST_TYPED_CELLS, Math.floor(space.cells / 2)));
  const promptText = first.map(({ text }) => text).join('');
  const texts = [''];
  let used = cellsOf(promptText);
  let cursor: { row: number; text: string } | undefined;
  let at = 0;
  for (const cluster of clustersOf(view.text)) {
    const sign = shown(cluster);
    const cells = cellsOf(sign);
    if (used + cells > space.cells && used > 0) {
      texts.push('');
      used = 0;
    }
    if (at >= view.cursor) cursor ??= { row: texts.length - 1, text: texts.at(-1) ?? '' };
    texts.push((texts.pop() ?? '') + sign);
    used += cells;
    at += cluster.length;
  }
  cursor ??= { row: texts.length - 1, text: texts.at(-1) ?? '' };
  const room = space.cells - used;
  const hint = view.hint === '' || room < LEAST_HINT_CELLS ? '' : fitted(view.hint, Math.min(room, cellsOf(view.hint)));
  const rows = texts.map((text, row) => drawn(row === 0 ? first : [], text, row === texts.length - 1 ? hint : '', space.paintHint));
  const beforeCursor = drawn(cursor.row === 0 ? first : [], cursor.text, '', space.paintHint);
  const skipped = Math.max(0, Math.min(cursor.row, rows.length - space.rows));
  return { rows: rows.slice(skipped, skipped + Math.max(1, space.rows)), cursorRow: cursor.row - skipped, beforeCursor };
}

/** The prompt, without its beginning where it takes more than `cells`. */
function shortenedPrompt(prompt: readonly Span[], cells: number): readonly Span[] {
  if (cellsOf(prompt.map(({ text }) => text).join('')) <= cells) return prompt;
  const kept: Span[] = [];
  let left = cells;
  for (const span of [...prompt].reverse()) {
    const text = shortenedInFront(span.text, left);
    kept.unshift({ ...span, text });
    left -= cellsOf(text);
    if (text !== span.text || left < 1) break;
  }
  return kept;
}

function drawn(prompt: readonly Span[], text: string, hint: string, paintHint: (text: string) => string): DrawnRow {
  const painted = prompt.map((span) => span.paint?.(span.text) ?? span.text).join('') + text + (hint === '' ? '' : paintHint(hint));
  return { painted, text: prompt.map((span) => span.text).join('') + text + hint };
}
