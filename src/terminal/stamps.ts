/**
 * When something happened, in front of its line: hour and minute of the local clock, and a line of its own when the day changes.
 */
import type { Line } from './layout.js';
import { notice } from './phrases.js';

/** In a narrower window the time would take the place of words. */
const LEAST_COLUMNS = 50;

export class Stamps {
  readonly #date: () => Date;
  #day: string;

  constructor(date: () => Date) {
    this.#date = date;
    this.#day = dayOf(date());
  }

  /** Messages and notices with the time of now; answers to commands stay as they are. */
  stamped(lines: readonly Line[], columns: number | undefined): readonly Line[] {
    if (lines.length === 0) return lines;
    const now = this.#date();
    const day = dayOf(now);
    const dayLine = day === this.#day ? [] : [notice(day)];
    this.#day = day;
    if (columns !== undefined && columns < LEAST_COLUMNS) return [...dayLine, ...lines];
    const stamp = `${twoDigits(now.getHours())}:${twoDigits(now.getMinutes())} `;
    return [...dayLine, ...lines.map((line) => withStamp(line, stamp))];
  }
}

function withStamp(line: Line, stamp: string): Line {
  if (line.kind === 'result' || line.kind === 'help') return line;
  return { ...line, stamp, prefix: stamp + line.prefix, again: ' '.repeat(stamp.length) + line.again };
}

/** `Sunday 22 November 2026`, without the comma that some versions of the locale's data have. */
function dayOf(date: Date): string {
  return date.toLocaleDateString('en-GB', { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }).replace(',', '');
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
