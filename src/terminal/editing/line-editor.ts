/**
 * The line that a person types, as a state machine: keys and pastes in, actions and a view out.
 *
 * Owns text, cursor and what keys mean. Streams, drawing and raw mode are the screen's; where history and completions
 * come from stands in history.ts and completion.ts.
 */
import type { Key } from 'node:readline';
import type { EditorAction, EditorView, LineEditorOptions } from './editing-types.js';

export class LineEditor {
  readonly #options: LineEditorOptions;
  #text = '';

  constructor(options: LineEditorOptions) {
    this.#options = options;
  }

  /** One key, as node:readline's emitKeypressEvents tells it. */
  key(text: string | undefined, key: Key): EditorAction {
    if (key.name === 'return' || key.name === 'enter') {
      const line = this.#text;
      this.#text = '';
      return { kind: 'line', text: line };
    }
    if (text === undefined || key.ctrl === true || key.meta === true) return { kind: 'none' };
    return this.paste(text);
  }

  /** Text that was pasted, line breaks and all: it becomes part of the line and sends nothing. */
  paste(text: string): EditorAction {
    this.#text += text;
    return { kind: 'redraw' };
  }

  view(): EditorView {
    return { text: this.#text, cursor: this.#text.length, hint: this.#options.hintFor(this.#text) };
  }
}
