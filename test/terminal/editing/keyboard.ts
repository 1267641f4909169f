/** A line editor under the hands of a test: keys go in as a terminal sends them, through node:readline's own decoder. */
import { EventEmitter } from 'node:events';
import type { Key } from 'node:readline';
import { emitKeypressEvents } from 'node:readline';
import type { Completion, EditorAction, HistoryStore, LineEditorOptions } from '../../../src/terminal/editing/editing-types.js';
import { LineEditor } from '../../../src/terminal/editing/line-editor.js';

/** Keys as a terminal sends them. */
export const KEYS = {
  up: '\x1b[A', down: '\x1b[B', right: '\x1b[C', left: '\x1b[D', home: '\x1b[H', end: '\x1b[F', delete: '\x1b[3~',
  ctrlLeft: '\x1b[1;5D', ctrlRight: '\x1b[1;5C', altLeft: '\x1b[1;3D', altRight: '\x1b[1;3C',
  enter: '\r', altEnter: '\x1b\r', tab: '\t', backspace: '\x7f', altBackspace: '\x1b\x7f', undo: '\x1f',
} as const;

/** `C-a` → the byte of Ctrl-A, `M-b` → Escape and the letter. */
export function chord(name: string): string {
  const letter = name.slice(2);
  return name.startsWith('C-') ? String.fromCharCode(letter.charCodeAt(0) & 0x1f) : `\x1b${letter}`;
}

export const NOTHING: Completion = { from: 0, to: 0, insert: '', candidates: [] };

export class Keyboard {
  readonly editor: LineEditor;
  readonly lines: string[] = [];
  /** The store that the editor writes to, oldest first. */
  readonly history: string[];
  /** What came later, of completions that took a while. */
  readonly later: EditorAction[] = [];
  readonly #source = new EventEmitter();
  #action: EditorAction = { kind: 'none' };

  constructor({ history = [], ...more }: { readonly history?: readonly string[] } & Partial<Omit<LineEditorOptions, 'history'>> = {}) {
    this.history = [...history];
    const store: HistoryStore = { entries: this.history, add: (line) => void this.history.push(line) };
    this.editor = new LineEditor({ history: store, complete: () => NOTHING, hintFor: () => '', later: (action) => void this.later.push(action), ...more });
    emitKeypressEvents(this.#source as NodeJS.ReadableStream);
    this.#source.on('keypress', (text: string | undefined, key: Key) => {
      this.#action = this.editor.key(text, key);
      if (this.#action.kind === 'line') this.lines.push(this.#action.text);
    });
  }

  /** @returns What the last key led to. */
  press(...keys: readonly string[]): EditorAction {
    for (const one of keys) this.#source.emit('data', Buffer.from(one));
    return this.#action;
  }

  /** Escape alone: a terminal gives no sign that nothing follows, so the decoder would wait. */
  escape(): EditorAction {
    return this.editor.key(undefined, { name: 'escape', meta: true, sequence: '\x1b' });
  }

  /** The line as shown, `|` where the cursor is. */
  get shown(): string {
    const { text, cursor } = this.editor.view();
    return `${text.slice(0, cursor)}|${text.slice(cursor)}`;
  }
}
