/**
 * Ctrl-R and Ctrl-S: incremental search of the history, letter by letter, newest first. Pure state over the lines it is
 * given; which keys end it, and what then becomes of the line, is line-editor.ts's.
 */
import { isBoundary, previousBoundary } from './graphemes.js';

export type SearchDirection = 'back' | 'forward';

/** Where a search stands: `at` lines before the newest (0), the match in it; undefined: nothing found yet. */
interface Step {
  readonly query: string;
  readonly at: number | undefined;
  readonly failing: boolean;
}

export interface SearchMatch {
  /** How many lines before the newest, 0 for the newest. */
  readonly at: number;
  readonly text: string;
  /** Code units in front of the cluster in which the match begins. */
  readonly column: number;
}

const START: Step = { query: '', at: undefined, failing: false };

export class HistorySearch {
  /** Oldest first; may grow in front. */
  readonly #entries: () => readonly string[];
  /** One for each letter of the query, so that Backspace goes back to what was found before. */
  #steps: Step[] = [START];
  #direction: SearchDirection;

  constructor(entries: () => readonly string[], direction: SearchDirection) {
    this.#entries = entries;
    this.#direction = direction;
  }

  get query(): string {
    return this.#step.query;
  }

  get direction(): SearchDirection {
    return this.#direction;
  }

  /** Nothing (more) matches; the last match stays. */
  get failing(): boolean {
    return this.#step.failing;
  }

  get match(): SearchMatch | undefined {
    const { at, query } = this.#step;
    const text = at === undefined ? undefined : this.#entries().at(-1 - at);
    // Below a failing query the line is shown that matched its beginning.
    if (at === undefined || text === undefined) return undefined;
    const column = Math.max(0, columnOf(text, query));
    return { at, text, column: isBoundary(text, column) ? column : previousBoundary(text, column) };
  }

  /** More letters of the query: the line that is shown stays if it still matches. */
  extend(letters: string): void {
    const query = this.query + letters;
    const { at } = this.#step;
    this.#steps.push(this.#found(query, at ?? (this.#direction === 'back' ? 0 : this.#entries().length - 1), undefined));
  }

  /** One letter less. */
  shrink(): void {
    if (this.#steps.length > 1) this.#steps.pop();
  }

  /** The next match in `direction`, another line than the one shown. `lastQuery` is searched for where nothing was typed. */
  again(direction: SearchDirection, lastQuery: string): void {
    this.#direction = direction;
    if (this.query === '') {
      if (lastQuery !== '') this.extend(lastQuery);
      return;
    }
    const { at } = this.#step;
    const from = at === undefined ? 0 : at + (direction === 'back' ? 1 : -1);
    this.#steps[this.#steps.length - 1] = this.#found(this.query, from, this.match?.text);
  }

  /** `from` is looked at first, then on in the direction; a line that reads as `other` does not count. */
  #found(query: string, from: number, other: string | undefined): Step {
    const entries = this.#entries();
    const step = this.#direction === 'back' ? 1 : -1;
    for (let at = from; at >= 0 && at < entries.length; at += step) {
      const text = entries.at(-1 - at) ?? '';
      if (text !== other && columnOf(text, query) >= 0) return { query, at, failing: false };
    }
    return { query, at: this.#step.at, failing: true };
  }

  get #step(): Step {
    return this.#steps.at(-1) ?? START;
  }
}

/** A query in small letters finds both; one capital letter makes it exact. */
function columnOf(text: string, query: string): number {
  if (query !== query.toLowerCase()) return text.indexOf(query);
  const lower = text.toLowerCase();
  // A few letters change their length with their case; then only the exact ones are found.
  return lower.length === text.length ? lower.indexOf(query) : text.indexOf(query);
}
