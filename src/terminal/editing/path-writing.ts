/**
 * A path on the command line: what has been typed of it so far, and how a completed one is written so that it is read back as
 * the same path (command-arguments.ts). Pure; which files there are is path-completion.ts's.
 *
 * The argument goes on to the end of the line, so spaces need no quotes; whoever has begun with a quotation mark keeps it.
 */
import { unquote } from '../command-arguments.js';

export type QuoteStyle = 'bare' | 'double' | 'single';

export interface TypedPath {
  /** Without quotes and escapes; may end anywhere in a name. */
  readonly path: string;
  readonly style: QuoteStyle;
  /** Begun with `<`. */
  readonly bracket: boolean;
}

/** Text to insert, and what stands behind the cursor then. */
export interface WrittenPath {
  readonly insert: string;
  readonly after: string;
}

/** What a backslash is taken from in front of, where nothing is quoted. */
const ESCAPED = String.raw`[\s"'()<>&]`;
const BACKSLASH_BEFORE_ESCAPED = new RegExp(String.raw`\\(?=${ESCAPED})`, 'gu');
/** Escaped where it begins the argument: it would mean something else, or be cut off. */
const BEGINS_OTHERWISE = /^[\s"'<]/u;

/** Reads the argument up to the cursor, white space in front of it left out; undefined where quotes make no sense. */
export function readTypedPath(typed: string): TypedPath | undefined {
  const bracket = typed.startsWith('<');
  const written = bracket ? typed.slice(1).trimStart() : typed;
  const mark = written.charAt(0);
  if (mark !== '"' && mark !== "'") return { path: unquote(written), style: 'bare', bracket };
  const style = mark === '"' ? 'double' : 'single';
  // Perhaps the quotes are closed already; if not, with one of either kind they are.
  for (const end of ['', mark, mark === '"' ? "'" : '"']) {
    const closed = written + end;
    const path = unquote(closed);
    if (path !== closed) return { path, style, bracket };
  }
  return undefined;
}

/** Whether what stands behind the cursor only closes what was opened, so that the path may be completed. */
export function closesOnly(rest: string): boolean {
  return /^\s*["']?\s*>?\s*$/u.test(rest);
}

/** A file: nothing follows its name. */
export function writeWhole(path: string, { style, bracket }: Omit<TypedPath, 'path'>): WrittenPath {
  // White space at the end of the line would be cut off.
  const used = style === 'bare' && /\s$/u.test(path) ? 'double' : style;
  const { insert, after } = writeBeginning(path, { style: used, bracket });
  return { insert: insert + after, after: '' };
}

/** The beginning of a path, or a folder: more is going to be typed. */
export function writeBeginning(path: string, { style, bracket }: Omit<TypedPath, 'path'>): WrittenPath {
  const open = bracket ? '<' : '';
  const close = bracket ? '>' : '';
  // `-` alone, or with a name behind it, would be what comes on stdin.
  const named = /^-(?:\s|$)/u.test(path) ? `./${path}` : path;
  if (style === 'double') return { insert: `${open}"${named.replace(/["\\]/gu, String.raw`\$&`)}`, after: `"${close}` };
  if (style === 'single') return { insert: `${open}'${named.replaceAll("'", String.raw`'\''`)}`, after: `'${close}` };
  const escaped = named.replace(BACKSLASH_BEFORE_ESCAPED, String.raw`\\`);
  return { insert: open + (BEGINS_OTHERWISE.test(escaped) ? `\\${escaped}` : escaped), after: close };
}
