/**
 * The rows of the live area above the prompt: how many there may be, and what stands for those that there is no room for. Pure.
 */
import type { Palette } from '../colours.js';
import type { Line } from '../layout.js';
import { cellsOf, fitted } from '../layout.js';
import { shownLine } from './painted-rows.js';
import type { DrawnRow } from './prompt-rows.js';

/**
 * Rows that live lines may take: the prompt comes first, and where it can be, half of the window stays for what was said.
 */
export function liveBudget(wanted: number, promptRows: number, windowRows: number): number {
  if (windowRows < 2) return 0;
  const beside = windowRows - Math.min(promptRows, windowRows - 1);
  return Math.min(wanted, Math.max(1, Math.min(beside - 1, Math.ceil(windowRows / 2))));
}

/** @param lines The most important first. @param shown Text as the terminal can show it. */
export function liveRows(lines: readonly Line[], budget: number, cells: number, palette: Palette, shown: (text: string) => string): DrawnRow[] {
  if (budget < 1) return [];
  if (lines.length <= budget) return lines.map((line) => row(line, cells, '', palette, shown));
  // In a single row the rest is told behind the first.
  if (budget === 1) return lines.slice(0, 1).map((line) => row(line, cells, ` +${lines.length - 1}`, palette, shown));
  const rest: Line = { kind: 'transfer', prefix: '', again: '', text: `+${lines.length - budget + 1} more` };
  return [...lines.slice(0, budget - 1), rest].map((line) => row(line, cells, '', palette, shown));
}

/** A line in one row, cut where it is too long, with `end` behind it. */
function row(line: Line, cells: number, end: string, palette: Palette, shown: (text: string) => string): DrawnRow {
  const { kind, prefix, text } = shownLine(line, shown);
  const room = Math.max(1, cells - end.length);
  const prefixShown = cellsOf(prefix) < room ? prefix : '';
  const left = room - cellsOf(prefixShown);
  const textShown = (cellsOf(text) <= left ? text : shown(fitted(text, left)).slice(0, left)) + end;
  return { painted: palette.line(kind, prefixShown, textShown), text: prefixShown + textShown };
}
