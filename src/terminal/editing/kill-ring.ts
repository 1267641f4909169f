/**
 * What was cut from the line and can be put back: Ctrl-K, Ctrl-U, Ctrl-W and their like fill it, Ctrl-Y and Alt-Y take from
 * it. Cuts in a row become one piece, as in bash. Lives as long as the program; nothing of it is written anywhere.
 */
import { editingLimits } from '../../protocol/limits.js';

export class KillRing {
  /** Newest last. */
  readonly #pieces: string[] = [];
  /** How many pieces before the newest the last yank took. */
  #back = 0;

  /** `where` a piece joins the one before it; `new` begins another. Nothing is taken for nothing. */
  take(text: string, where: 'new' | 'behind' | 'in front'): void {
    if (text === '') return;
    const last = where === 'new' ? undefined : this.#pieces.pop();
    this.#pieces.push(where === 'in front' ? text + (last ?? '') : (last ?? '') + text);
    if (this.#pieces.length > editingLimits.killedPieces) this.#pieces.shift();
  }

  /** The newest piece. */
  newest(): string | undefined {
    this.#back = 0;
    return this.#pieces.at(-1);
  }

  /** The piece before the one that was given last; after the oldest the newest again. */
  older(): string | undefined {
    if (this.#pieces.length === 0) return undefined;
    this.#back = (this.#back + 1) % this.#pieces.length;
    return this.#pieces.at(-1 - this.#back);
  }
}
