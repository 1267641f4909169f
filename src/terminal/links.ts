/**
 * What in a line leads somewhere: paths of received files, and addresses of the web that stand in messages. Pure.
 *
 * A link of OSC 8 may show one thing and lead to another. So a message links what it shows and nothing else (HOSTILE 20), and
 * only the program itself links a path.
 */
import { pathToFileURL } from 'node:url';

/** A part of a line's text, as it stands there, and the address it leads to. */
export interface Link {
  readonly text: string;
  readonly target: string;
}

/** ASCII only: no sign in it can look like another, and nothing that was made visible in place of a control character matches. */
const WEB_ADDRESS = /\bhttps?:\/\/[A-Za-z0-9.:[\]-]+(?:[/?#][A-Za-z0-9\-._~:/?#[\]@!$&'()*+,;=%]*)?/gu;
/** More than anybody follows; a message may hold thousands. */
const LINKS_PER_LINE = 16;
/** Terminals differ in what they take; VTE's limit is 2083 bytes. */
const TARGET_CHARS = 2_000;

/** The web addresses in `text`, without the full stop or bracket of the sentence around them. */
export function webLinks(text: string): Link[] {
  const links: Link[] = [];
  for (const [found] of text.matchAll(WEB_ADDRESS)) {
    const address = withoutSentence(found);
    if (address.length <= TARGET_CHARS) links.push({ text: address, target: address });
    if (links.length >= LINKS_PER_LINE) break;
  }
  return links;
}

/** In one pass: a message may end with thousands of brackets. */
function withoutSentence(address: string): string {
  const ending = address.includes('(') ? ".,;:!?'" : ".,;:!?')";
  let end = address.length;
  while (end > 0 && ending.includes(address.charAt(end - 1))) end -= 1;
  return address.slice(0, end);
}

/** @param shown `path` as the line shows it. @param path Absolute. */
export function fileLink(shown: string, path: string): Link[] {
  const target = pathToFileURL(path).href;
  return target.length <= TARGET_CHARS ? [{ text: shown, target }] : [];
}

/** From where to where, in code units of a row, it belongs to a link. */
export interface LinkPiece {
  readonly from: number;
  readonly to: number;
  readonly target: string;
}

/**
 * Where the links stand after `text` was broken into `rows`: each row is the next part of it, without the spaces at its ends.
 * Links are looked for in their order.
 */
export function linkPieces(text: string, rows: readonly string[], links: readonly Link[]): LinkPiece[][] {
  const spans: { from: number; to: number; target: string }[] = [];
  let searched = 0;
  for (const link of links) {
    const from = text.indexOf(link.text, searched);
    if (from < 0) continue;
    searched = from + link.text.length;
    spans.push({ from, to: searched, target: link.target });
  }
  let at = 0;
  return rows.map((row) => {
    const start = Math.max(at, text.indexOf(row, at));
    const end = start + row.length;
    at = end;
    return spans.filter(({ from, to }) => from < end && to > start).map(({ from, to, target }) => ({ from: Math.max(from, start) - start, to: Math.min(to, end) - start, target }));
  });
}

/** Whether a terminal can be trusted to ignore the sequence where it does not know it. @param env Of the program. */
export function linksCanBeShown(env: Readonly<Record<string, string | undefined>>): boolean {
  const term = env['TERM'] ?? '';
  if ((env['TMUX'] ?? '') !== '') return true;
  return term !== '' && !/^(?:linux|dumb|vt\d|cons|screen)/u.test(term);
}

/** Text that leads to `target`, in the sequence of OSC 8 (https://gist.github.com/egmontkob/eb114294efbcd5adb1944c9f3cb5feda). */
export function linked(text: string, target: string): string {
  // The id joins what was broken into several rows.
  return `\x1b]8;id=p2p;${target}\x1b\\${text}\x1b]8;;\x1b\\`;
}
