/**
 * Bytes from the terminal → keys, pasted text as a whole, and reports of the terminal.
 *
 * The decoding is node:readline's; the meaning of keys is the editor's and the screen's.
 */
import type { Interface, Key } from 'node:readline';
import { emitKeypressEvents } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../../net/clock.js';
import { terminalLimits } from '../../protocol/limits.js';

export interface KeyListener {
  key(text: string | undefined, key: Key): void;
  paste(text: string): void;
  focus(here: boolean): void;
  /** The terminal is gone. */
  end(): void;
}

/** For the rest of a sequence that begins with Escape, milliseconds: slow lines, and people who type Escape for Alt. As node:readline. */
const ESCAPE_MS = 500;

const FOCUS_IN = '\x1b[I';
const FOCUS_OUT = '\x1b[O';

export class KeyReader {
  readonly #stdin: Readable;
  readonly #clock: Clock;
  readonly #listener: KeyListener;
  /** What came since a paste began. */
  #pasted: string | undefined;
  #pasteEnds: Timer | undefined;
  readonly #take = (text: string | undefined, key: Key) => this.#keypress(text, key);
  readonly #end = () => this.#listener.end();

  constructor(stdin: Readable, clock: Clock, listener: KeyListener) {
    this.#stdin = stdin;
    this.#clock = clock;
    this.#listener = listener;
  }

  start(): void {
    // Of an interface only this is looked at, and the mark whether a chunk is a single key.
    emitKeypressEvents(this.#stdin, { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface);
    this.#stdin.on('keypress', this.#take);
    this.#stdin.on('end', this.#end);
    this.#stdin.on('error', this.#end);
    this.#stdin.resume();
  }

  stop(): void {
    this.#pasteEnds?.stop();
    this.#stdin.off('keypress', this.#take);
    this.#stdin.off('end', this.#end);
    // A terminal that goes away while the program ends is no failure of it: this listener stays.
    this.#stdin.pause();
  }

  #keypress(text: string | undefined, key: Key): void {
    if (this.#pasted !== undefined) {
      if (key.name === 'paste-end') this.#endPaste();
      else this.#addToPaste(key.sequence ?? text ?? '');
    } else if (key.name === 'paste-start') {
      this.#pasted = '';
      this.#addToPaste('');
    } else if (key.sequence === FOCUS_IN || key.sequence === FOCUS_OUT) this.#listener.focus(key.sequence === FOCUS_IN);
    else if (key.name !== 'paste-end') this.#listener.key(text, key);
  }

  /** A paste whose end got lost must not swallow what is typed from then on. */
  #addToPaste(text: string): void {
    const before = this.#pasted ?? '';
    if (before.length < terminalLimits.pasteChars) this.#pasted = before + text;
    this.#pasteEnds?.stop();
    this.#pasteEnds = this.#clock.after(terminalLimits.pasteGapMs, () => this.#endPaste());
  }

  #endPaste(): void {
    const text = this.#pasted;
    this.#pasted = undefined;
    this.#pasteEnds?.stop();
    if (text !== undefined && text !== '') this.#listener.paste(text);
  }
}
