/**
 * The answers to LIST_FILES and LIMIT_RATE. Pure.
 *
 * One row for each transfer, in aligned columns, cut to the width of the terminal: a name of the other side, neutralised,
 * can neither begin a row nor move a column.
 */
import type { Leftover, TransferSnapshot } from '../client/api.js';
import { visibleLine } from '../protocol/text.js';
import { cellsOf, fitted, type Line } from './layout.js';
import { fileName, notice, toOrFrom } from './phrases.js';
import { formatDuration, formatRate, formatSize, percent } from './quantities.js';

/** The widest that a peer's name may make its column, cells: the longest names are 32 characters. */
const PEER_CELLS = 20;
/** The narrowest that the column of file names gets, however narrow the terminal is. */
const LEAST_NAME_CELLS = 10;
const GAP = '  ';

/** @param columns Cells of the terminal; undefined where there is none: nothing is cut then. */
export function filesLines(transfers: readonly TransferSnapshot[], leftovers: readonly Leftover[], columns: number | undefined): Line[] {
  const lines: Line[] = [];
  if (transfers.length === 0) lines.push(notice('No offers and no transfers.'));
  else lines.push(...table([['no', 'with', 'name', 'state', 'done', 'rate', 'left'], ...transfers.map(transferRow)], columns));
  if (leftovers.length > 0) {
    lines.push(notice('Unfinished, and continued when the same is sent again:'));
    lines.push(...table([['', 'with', 'name', 'there', 'kept until'], ...leftovers.map(leftoverRow)], columns));
  }
  return lines;
}

export function rateLimitLines(bytesPerSecond: number | undefined): Line[] {
  if (bytesPerSecond === undefined) return [notice('There is no rate limit. LIMIT_RATE 10M sets one of 10 MB a second.')];
  return [notice(`The rate limit is ${formatRate(bytesPerSecond)} for all sending, and as much for all receiving. LIMIT_RATE off lifts it.`)];
}

function transferRow(one: TransferSnapshot): string[] {
  const done = one.size === null ? formatSize(one.bytes) : `${percent(one.bytes, one.size)} %`;
  const offered = one.state === 'offered';
  return [
    String(one.id),
    toOrFrom(one),
    nameOf(one),
    stateOf(one),
    offered ? (one.size === null ? '?' : formatSize(one.size)) : done,
    offered || one.rate === 0 ? '' : formatRate(one.rate),
    offered || one.left === undefined ? '' : formatDuration(one.left),
  ];
}

function leftoverRow(one: Leftover): string[] {
  const there = one.size === null ? formatSize(one.bytes) : `${formatSize(one.bytes)} of ${formatSize(one.size)}`;
  return ['', `from ${visibleLine(one.peer)}`, nameOf(one), there, new Date(one.removedMs).toISOString().slice(0, 10)];
}

function nameOf({ kind, name }: { readonly kind: 'file' | 'folder'; readonly name: string }): string {
  return kind === 'folder' ? `folder ${fileName(name)}` : fileName(name);
}

function stateOf({ state, waits, direction }: TransferSnapshot): string {
  if (waits === undefined) return state === 'offered' && direction === 'incoming' ? 'asks you' : state;
  switch (waits) {
    case 'own-disk':
      return 'waits: your disk';
    case 'peer-disk':
      return 'waits: their disk';
    case 'network':
      return 'waits: network';
    case 'own-rate-limit':
      return 'waits: your limit';
    case 'peer-rate-limit':
      return 'waits: their limit';
    case 'paused-by-you':
      return 'paused by you';
    case 'paused-by-peer':
      return 'paused by them';
    case 'own-disk-full':
      return 'your disk is full';
    case 'peer-disk-full':
      return 'their disk is full';
  }
}

/** Rows of equally wide columns; the third, of names, takes what is left of the terminal. */
function table(rows: readonly (readonly string[])[], columns: number | undefined): Line[] {
  const widths = (rows[0] ?? []).map((_, at) => Math.max(...rows.map((row) => cellsOf(row[at] ?? ''))));
  widths[1] = Math.min(widths[1] ?? 0, PEER_CELLS);
  if (columns !== undefined) {
    const others = widths.reduce((sum, width, at) => (at === 2 ? sum : sum + width + GAP.length), 0);
    // The sign in front and the cell at the end that stays free are taken off as well.
    widths[2] = Math.max(LEAST_NAME_CELLS, Math.min(widths[2] ?? 0, columns - others - 4));
  }
  return rows.map((row) => notice(row.map((cell, at) => fitted(cell, widths[at] ?? 0)).join(GAP).trimEnd()));
}
