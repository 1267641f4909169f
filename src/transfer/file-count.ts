/**
 * How many files of a list have ended, when entries are what is counted: folders are in the list too (PROTOCOL.md 7.5.1).
 *
 * Owns the places of listed folders that have not ended, which `entriesAhead` bounds.
 */
import type { Entry } from '../protocol/peer-messages.js';

export class FileCount {
  #ended = 0;
  #folders = 0;
  /** Entries that are folders, in order. */
  #ahead: number[] = [];

  /** Files among the entries that have ended. */
  get files(): number {
    return this.#ended - this.#folders;
  }

  /** A part of the list. One that begins anew is counted anew; one that begins behind what both sides have goes on. */
  listed(first: number, entries: readonly Entry[]): void {
    if (first === 0) {
      this.#ended = 0;
      this.#folders = 0;
    }
    this.#ahead = this.#ahead.filter((folder) => folder < first);
    for (const [index, entry] of entries.entries()) if ('folder' in entry) this.#ahead.push(first + index);
  }

  /** All entries below `ended` have ended. */
  reach(ended: number): void {
    if (ended <= this.#ended) return;
    this.#ended = ended;
    const passed = this.#ahead.findIndex((folder) => folder >= ended);
    const folders = passed === -1 ? this.#ahead.length : passed;
    this.#ahead.splice(0, folders);
    this.#folders += folders;
  }
}
