/**
 * Lines → the rows of a terminal, broken to its width and coloured. Pure.
 */
import type { Palette } from '../colours.js';
import type { Line } from '../layout.js';
import { rowsOf } from '../layout.js';
import { linkPieces } from '../links.js';

/**
 * @param columns Undefined where there is no terminal.
 * @param shown Text as the terminal can show it.
 * @returns One string a row, without line ends.
 */
export function paintedRows(lines: readonly Line[], columns: number | undefined, palette: Palette, shown: (text: string) => string): string[] {
  return lines.flatMap((line) => {
    const given = shownLine(line, shown);
    const rows = rowsOf(given, columns);
    const links = given.links === undefined ? [] : linkPieces(given.text, rows.map(({ text }) => text), given.links);
    return rows.map((row, index) => palette.line(line.kind, shown(row.prefix), row.text, { ...given, links: links[index] }));
  });
}

/** A line in signs that the terminal can show, so that it is measured as it will be. */
export function shownLine(line: Line, shown: (text: string) => string): Line {
  const links = line.links?.map((link) => ({ ...link, text: shown(link.text) }));
  return { ...line, prefix: shown(line.prefix), again: shown(line.again), text: shown(line.text), ...(links === undefined ? {} : { links }) };
}
