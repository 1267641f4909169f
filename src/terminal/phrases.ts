/**
 * The forms that all wording is made of: what the program says begins with `-- ` or `!! `, names of others stand neutralised
 * in quotation marks. Pure; the sentences themselves stand in wording.ts, transfer-wording.ts and files-wording.ts.
 */
import type { Direction } from '../client/api.js';
import { visibleLine } from '../protocol/text.js';
import type { Line } from './layout.js';

/** The program's own words. */
export function notice(text: string): Line {
  return { kind: 'notice', prefix: '-- ', again: '   ', text };
}

/** Something went wrong. */
export function problem(text: string): Line {
  return { kind: 'error', prefix: '!! ', again: '   ', text };
}

/** The answer to a command in its fixed wording. */
export function result(text: string): Line {
  return { kind: 'result', prefix: '', again: '', text };
}

export function fileName(name: string): string {
  return `"${visibleLine(name)}"`;
}

/** `from bob`, `to bob`. */
export function toOrFrom({ direction, peer }: { readonly direction: Direction; readonly peer: string }): string {
  return `${direction === 'incoming' ? 'from' : 'to'} ${visibleLine(peer)}`;
}
