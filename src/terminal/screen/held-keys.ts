/**
 * Keys that come while a completion is looked for wait for it, so that Enter behind Tab sends the line that Tab makes. In their
 * order, and no longer than a moment: a folder on a network that does not answer must not take the keyboard.
 *
 * What keys mean is the screen's and the editor's; that Ctrl-C does not come through here is the screen's affair.
 */
import type { Clock, Timer } from '../../net/clock.js';
import { editingLimits } from '../../protocol/limits.js';
import type { Editor } from '../screen.js';

/** What of an editor is looked at. */
export type WaitingEditor = Pick<Editor, 'waits' | 'waitNoMore'>;

export class HeldKeys {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #editor: () => WaitingEditor | undefined;
  #held: (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(clock: Pick<Clock, 'after'>, editor: () => WaitingEditor | undefined) {
    this.#clock = clock;
    this.#editor = editor;
  }

  /** Does what a key or a paste asks for, or keeps it until what came before is done. */
  take(input: () => void): void {
    this.#held.push(input);
    if (this.#held.length > editingLimits.heldKeys) this.#editor()?.waitNoMore();
    this.go();
  }

  /** The editor may not be waiting any more. */
  go(): void {
    while (this.#editor()?.waits !== true) {
      // The next completion has its own time.
      this.#stopTimer();
      const input = this.#held.shift();
      if (input === undefined) return;
      input();
    }
    this.#timer ??= this.#clock.after(editingLimits.completionWaitMs, () => {
      this.#editor()?.waitNoMore();
      this.go();
    });
  }

  /** Forgets what waits. */
  drop(): void {
    this.#held = [];
    this.#stopTimer();
  }

  #stopTimer(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }
}
