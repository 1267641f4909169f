/**
 * Text with a cursor and an undo list: the edits that keys are made of. Pure state.
 *
 * Holds what the editor promises of its line: well-formed text, the cursor at the edge of a grapheme cluster, and every
 * change undone in the order in which it was made.
 */
import { editingLimits } from '../../protocol/limits.js';
import { atBoundary, nextBoundary, previousBoundary, wordEnd } from './graphemes.js';

/** A line at one moment. `place` is which line of the history it is, 0 for the new one. */
export interface LineState {
  readonly text: string;
  readonly cursor: number;
  readonly place: number;
}

export class EditedText {
  #text = '';
  #cursor = 0;
  #undo: LineState[] = [];
  /** Typed in a row since the last undo step. */
  #typed = 0;
  /** Which line of the history this is, 0 for the new one. Undo brings it back as well. */
  place = 0;

  get text(): string {
    return this.#text;
  }

  get cursor(): number {
    return this.#cursor;
  }

  get state(): LineState {
    return { text: this.#text, cursor: this.#cursor, place: this.place };
  }

  /** Moves to `at`, or to the next place behind it where a cursor may stand. @returns Whether it moved. */
  moveTo(at: number): boolean {
    this.#typed = 0;
    const before = this.#cursor;
    this.#cursor = atBoundary(this.#text, Math.max(0, Math.min(at, this.#text.length)));
    return this.#cursor !== before;
  }

  /** Puts `text` at the cursor. `typed`: letters in a row are undone together. */
  insert(text: string, how: 'typed' | 'at once' = 'at once'): void {
    const added = text.toWellFormed();
    const goesOn = how === 'typed' && this.#typed > 0 && this.#typed < editingLimits.undoneAtOnce;
    const typed = goesOn ? this.#typed + 1 : 1;
    if (!goesOn) this.remember();
    this.#set(this.#text.slice(0, this.#cursor) + added + this.#text.slice(this.#cursor), this.#cursor + added.length);
    this.#typed = how === 'typed' ? typed : 0;
  }

  /** `from`, up to but without `to`, becomes `text`; the cursor goes to `cursor`, else behind it. */
  replace(from: number, to: number, text: string, cursor?: number): void {
    const wanted = text.toWellFormed();
    this.remember();
    this.#set(this.#text.slice(0, from) + wanted + this.#text.slice(to), cursor ?? from + wanted.length);
  }

  /** Takes out `from`, up to but without `to`. @returns What was there. */
  remove(from: number, to: number): string {
    const removed = this.#text.slice(from, to);
    if (removed !== '') this.replace(from, to, '');
    return removed;
  }

  /** The two characters around the cursor change places; at the end the last two. @returns Whether there were two. */
  transpose(): boolean {
    const middle = this.#cursor === this.#text.length ? previousBoundary(this.#text, this.#cursor) : this.#cursor;
    const start = previousBoundary(this.#text, middle);
    const end = nextBoundary(this.#text, middle);
    if (start === middle || end === middle) return false;
    this.replace(start, end, this.#text.slice(middle, end) + this.#text.slice(start, middle));
    return true;
  }

  /** The word at or behind the cursor in other letters. @returns Whether there was one. */
  changeWord(how: 'upper-case' | 'lower-case' | 'capitalise'): boolean {
    const end = wordEnd(this.#text, this.#cursor);
    if (end === this.#cursor) return false;
    const word = this.#text.slice(this.#cursor, end);
    const small = word.toLowerCase();
    const changed = how === 'upper-case' ? word.toUpperCase() : how === 'lower-case' ? small : small.replace(/[\p{L}\p{N}]/u, (first) => first.toUpperCase());
    this.replace(this.#cursor, end, changed);
    return true;
  }

  /** Another line altogether, the cursor at its end; the step can be undone. */
  become(text: string, place: number): void {
    this.remember();
    this.place = place;
    const wanted = text.toWellFormed();
    this.#set(wanted, wanted.length);
  }

  /** One step back. @returns Whether there was one. */
  undo(): boolean {
    const before = this.#undo.pop();
    if (before === undefined) return false;
    this.place = before.place;
    this.#set(before.text, before.cursor);
    return true;
  }

  /** Back to where undo ends. @returns Whether that is another line. */
  revert(): boolean {
    const { text } = this.state;
    while (this.undo());
    return this.#text !== text;
  }

  /** Empty, with nothing to undo. */
  clear(): void {
    this.place = 0;
    this.#set('', 0);
    this.#undo = [];
  }

  /** Notes the line as it is, for undo. */
  remember(): void {
    this.#typed = 0;
    this.#undo.push(this.state);
    if (this.#undo.length > editingLimits.undoSteps) this.#undo.shift();
  }

  #set(text: string, cursor: number): void {
    this.#typed = 0;
    this.#text = text;
    // What was put in may have become one with what stands behind it, such as a letter and an accent.
    this.#cursor = atBoundary(text, cursor);
  }
}
