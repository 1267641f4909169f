/**
 * Colours of lines and prompt, and whether there are any (NO_COLOR, FORCE_COLOR, no terminal, TERM=dumb).
 *
 * The sixteen colours of the terminal's own theme, and for people those that read well on light and on dark backgrounds.
 */
import type { ChalkInstance, ColorSupportLevel } from 'chalk';
import { Chalk } from 'chalk';
import type { LineKind } from './layout.js';
import type { LinkPiece } from './links.js';
import { linked } from './links.js';
import { mentionsOf } from './mentions.js';

/** The surroundings that decide. `depth` is what the terminal says of itself, in bits, as `WriteStream.getColorDepth()`. */
export interface ColourSurroundings {
  readonly isTTY: boolean;
  readonly depth: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** FORCE_COLOR, where set, decides; then NO_COLOR (https://no-color.org: any value but the empty one); then the terminal. */
export function colourLevel({ isTTY, depth, env }: ColourSurroundings): ColorSupportLevel {
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) {
    if (forced === '0' || forced === 'false') return 0;
    return forced === '2' ? 2 : forced === '3' ? 3 : 1;
  }
  if ((env['NO_COLOR'] ?? '') !== '' || !isTTY) return 0;
  if (depth >= 24) return 3;
  if (depth >= 8) return 2;
  return depth >= 4 ? 1 : 0;
}

/** What stands out in a row beside its kind. */
export interface RowMarks {
  readonly stamp?: string;
  readonly speaker?: string;
  readonly mention?: string;
  /** Undefined where nothing leads anywhere. */
  readonly links?: readonly LinkPiece[] | undefined;
}

/** Puts colour on a prefix, a text, a prompt; with level 0 all are as they were. */
export interface Palette {
  line(kind: LineKind, prefix: string, text: string, marks?: RowMarks): string;
  prompt(prompt: string): string;
  /** What waits for the person, within the prompt. */
  waiting(text: string): string;
  /** Text about somebody, such as their name in the prompt, in the colour of what they say. */
  person(name: string, text: string): string;
  /** What is expected behind the typed text. */
  hint(text: string): string;
}

/** Of the 256 colours, those that have a contrast of more than 4 : 1 on black and on white (WCAG 2.1, 1.4.3), and differ enough. */
export const PEOPLE_COLOURS: readonly number[] = [31, 62, 64, 98, 130, 132, 162, 30];

export interface PaletteOptions {
  /** Whether the terminal takes links (OSC 8). */
  readonly links?: boolean;
}

export function createPalette(level: ColorSupportLevel, { links = false }: PaletteOptions = {}): Palette {
  const chalk: ChalkInstance = new Chalk({ level });
  const ofPerson = (name: string) => {
    const number = colourNumber(name);
    if (level >= 2) return chalk.ansi256(PEOPLE_COLOURS[number % PEOPLE_COLOURS.length] ?? 31).bold;
    return number % 2 === 0 ? chalk.cyan.bold : chalk.magenta.bold;
  };
  const marked = (text: string, marks: RowMarks, plain: (text: string) => string) => {
    const mentions = marks.mention === undefined || level === 0 ? [] : mentionsOf(text, marks.mention).map((place) => ({ ...place, paint: chalk.inverse }));
    const leading = !links ? [] : (marks.links ?? []).map(({ from, to, target }) => ({ from, to, paint: (part: string) => linked(plain(part), target) }));
    return paintedParts(text, [...leading, ...mentions], plain);
  };
  return {
    line(kind, prefix, text, marks = {}) {
      const { stamp = '', speaker } = marks;
      const cut = stamp !== '' && prefix.startsWith(stamp) ? stamp.length : 0;
      const when = cut === 0 ? '' : chalk.dim(prefix.slice(0, cut));
      const whose = prefix.slice(cut);
      switch (kind) {
        case 'message':
          return when + (speaker === undefined ? chalk.cyan.bold : ofPerson(speaker))(whose) + marked(text, marks, (part) => part);
        case 'own-message':
          return when + chalk.green.bold(whose) + marked(text, marks, (part) => part);
        case 'notice':
          return when + chalk.blue(whose) + marked(text, marks, (part) => chalk.dim(part));
        case 'error':
          return when + chalk.red.bold(whose) + chalk.red(text);
        case 'result':
          return chalk.bold(text);
        case 'help':
          return text;
        case 'transfer':
          return chalk.blue(prefix) + text;
      }
    },
    prompt: (prompt) => chalk.green(prompt),
    waiting: (text) => chalk.yellow.inverse(text),
    person: (name, text) => ofPerson(name)(text),
    hint: (text) => chalk.dim(text),
  };
}

/** The same for a name on every machine and in every run, whatever its case (FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/). */
function colourNumber(name: string): number {
  let hash = 0x811c9dc5;
  for (const unit of name.toLowerCase()) hash = Math.imul(hash ^ unit.charCodeAt(0), 0x01000193) >>> 0;
  // The lowest bits alone would depend on the last letters only.
  return (hash ^ (hash >>> 16)) >>> 0;
}

interface PaintedPart {
  readonly from: number;
  readonly to: number;
  readonly paint: (text: string) => string;
}

/** Where parts overlap, the one that stands first in the list goes before. */
function paintedParts(text: string, parts: readonly PaintedPart[], plain: (text: string) => string): string {
  if (parts.length === 0) return plain(text);
  const chosen: PaintedPart[] = [];
  for (const part of parts) {
    if (chosen.every(({ from, to }) => part.to <= from || part.from >= to)) chosen.push(part);
  }
  chosen.sort((a, b) => a.from - b.from);
  let painted = '';
  let at = 0;
  for (const { from, to, paint } of chosen) {
    painted += (from > at ? plain(text.slice(at, from)) : '') + paint(text.slice(from, to));
    at = to;
  }
  return at < text.length ? painted + plain(text.slice(at)) : painted;
}
