/**
 * What stands below the last printed line, and the escape sequences that turn it into what shall stand there. Pure but for
 * the memory of what was drawn.
 *
 * The cursor never leaves the area upwards: rows above belong to the terminal's scroll-back. Where it stands in its row is
 * left to the terminal: the text in front of it is written once more, so that no table of widths has to be right.
 */
import { leastRowsOf } from '../layout.js';
import type { DrawnRow } from './prompt-rows.js';
import type { Rewrap } from './terminal-kind.js';

/** The whole area: live rows and prompt. */
export interface Frame {
  readonly rows: readonly DrawnRow[];
  readonly cursorRow: number;
  readonly beforeCursor: DrawnRow;
}

/** The area is not there. */
export const NOTHING: Frame = { rows: [], cursorRow: 0, beforeCursor: { painted: '', text: '' } };
const TO_END_OF_ROW = '\x1b[K';
const TO_END_OF_SCREEN = '\x1b[J';
/** From the start of a row. In the corner of the window tmux would keep what is erased in its history, so the rest goes from one cell further on. */
const ROW_AND_BELOW = `${TO_END_OF_ROW}\x1b[C${TO_END_OF_SCREEN}\r`;

export class LiveArea {
  /** What stands there, with the cursor where it says; with no rows the cursor is at the start of an empty row. */
  #drawn: Frame = NOTHING;

  /** Only what differs is written. */
  update(frame: Frame): string {
    const before = this.#drawn;
    if (before.rows.length === 0) return this.#drawWhole('', frame);
    let text = '';
    let at = before.cursorRow;
    const go = (row: number) => {
      text += vertical(row - at);
      at = row;
    };
    frame.rows.forEach((row, index) => {
      if (row.painted === before.rows[index]?.painted) return;
      if (index < before.rows.length) {
        go(index);
        text += `\r${row.painted}${TO_END_OF_ROW}`;
      } else {
        go(index - 1);
        text += `\r\n${row.painted}`;
        at = index;
      }
    });
    if (frame.rows.length < before.rows.length) {
      go(frame.rows.length);
      text += `\r${TO_END_OF_SCREEN}`;
    }
    const cursorIsThere = text === '' && frame.cursorRow === before.cursorRow && frame.beforeCursor.painted === before.beforeCursor.painted;
    this.#drawn = frame;
    if (cursorIsThere) return '';
    go(frame.cursorRow);
    return `${text}\r${frame.beforeCursor.painted}`;
  }

  /** Writes `rows` above the area, for good. */
  print(rows: readonly string[], frame: Frame): string {
    return this.#drawWhole(this.erase() + rows.map((row) => `${row}\r\n`).join(''), frame);
  }

  /** Takes the area away; the cursor is then where it began. */
  erase(): string {
    const { rows, cursorRow } = this.#drawn;
    this.#drawn = NOTHING;
    return rows.length === 0 ? '' : `\r${vertical(-cursorRow)}${ROW_AND_BELOW}`;
  }

  /** Takes the area away after the width has become `columns`. */
  eraseResized(columns: number, rewrap: Rewrap): string {
    const { rows, cursorRow, beforeCursor } = this.#drawn;
    this.#drawn = NOTHING;
    if (rows.length === 0) return '';
    let up = cursorRow;
    if (rewrap !== 'no') {
      up = rows.slice(0, cursorRow).reduce((sum, row) => sum + leastRowsOf(row.text, columns), 0);
      if (rewrap === 'all') up += leastRowsOf(beforeCursor.text, columns) - 1;
    }
    return `\r${vertical(-up)}${ROW_AND_BELOW}`;
  }

  /** The cursor is at the start of an empty row, and nothing is known of what is above. */
  forget(): void {
    this.#drawn = NOTHING;
  }

  #drawWhole(before: string, frame: Frame): string {
    this.#drawn = frame;
    if (frame.rows.length === 0) return before;
    const rows = frame.rows.map((row) => row.painted).join('\r\n');
    const cursor = vertical(frame.cursorRow - (frame.rows.length - 1));
    return `${before}\r${rows}${cursor}\r${frame.beforeCursor.painted}`;
  }
}

function vertical(rows: number): string {
  if (rows === 0) return '';
  return rows < 0 ? `\x1b[${-rows}A` : `\x1b[${rows}B`;
}
