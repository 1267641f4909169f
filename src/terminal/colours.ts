/**
 * Colours of lines and prompt, and whether there are any (NO_COLOR, FORCE_COLOR, no terminal, TERM=dumb).
 *
 * The sixteen colours of the terminal's own theme only, so that light and dark backgrounds both read well.
 */
import type { ChalkInstance, ColorSupportLevel } from 'chalk';
import { Chalk } from 'chalk';
import type { LineKind } from './layout.js';

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

/** Puts colour on a prefix, a text, a prompt; with level 0 all are as they were. */
export interface Palette {
  line(kind: LineKind, prefix: string, text: string): string;
  prompt(prompt: string): string;
  /** What is expected behind the typed text. */
  hint(text: string): string;
}

export function createPalette(level: ColorSupportLevel): Palette {
  const chalk: ChalkInstance = new Chalk({ level });
  return {
    line(kind, prefix, text) {
      switch (kind) {
        case 'message':
          return chalk.cyan.bold(prefix) + text;
        case 'own-message':
          return chalk.green.bold(prefix) + text;
        case 'notice':
          return chalk.blue(prefix) + chalk.dim(text);
        case 'error':
          return chalk.red.bold(prefix) + chalk.red(text);
        case 'result':
          return chalk.bold(text);
        case 'help':
          return text;
        case 'transfer':
          return chalk.blue(prefix) + text;
      }
    },
    prompt: (prompt) => chalk.green(prompt),
    hint: (text) => chalk.dim(text),
  };
}
