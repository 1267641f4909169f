/**
 * Lines → the rows of a terminal, broken to its width and coloured. Pure.
 */
import type { Palette } from '../colours.js';
import type { Line } from '../layout.js';
import { rowsOf } from '../layout.js';

/**
 * @param columns Undefined where there is no terminal.
 * @param shown Text as the terminal can show it.
 * @returns One string a row, without line ends.
 */
export function paintedRows(lines: readonly Line[], columns: number | undefined, palette: Palette, shown: (text: string) => string): string[] {
  return lines.flatMap((line) => rowsOf(shownLine(line, shown), columns).map((row) => palette.line(line.kind, shown(row.prefix), shown(row.text))));
}

/** A line in signs that the terminal can show, so that it is measured as it will be. */
export function shownLine(line: Line, shown: (text: string) => string): Line {
  return { ...line, prefix: shown(line.prefix), again: shown(line.again), text: shown(line.text) };
}
