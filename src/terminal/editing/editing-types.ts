/**
 * What the line editor takes and gives: the shapes between it, the screen that draws it, and the sources of history and
 * completions. Owns no behaviour (line-editor.ts), no streams and no files.
 */

/** What a key or a paste led to. The screen draws {@link EditorView} anew after everything but `none`. */
export type EditorAction =
  | { readonly kind: 'none' }
  | { readonly kind: 'redraw' }
  /** Enter: the line is empty again. `text` with a line break in it is one message, whatever its first line looks like. */
  | { readonly kind: 'line'; readonly text: string }
  /** Ctrl-C. `typed` was on the line, which is now empty. */
  | { readonly kind: 'interrupt'; readonly typed: string }
  /** Ctrl-D on an empty line. */
  | { readonly kind: 'end' }
  /** Completions to be shown above the prompt, in columns; already neutralised. */
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** Ctrl-L: the prompt goes to the top of the window. */
  | { readonly kind: 'clear' }
  /** Too long to be sent or taken in: the line is as it was. `message` says what to do next; shown as an error. */
  | { readonly kind: 'refused'; readonly message: string };

/** What is to be drawn: `prompt` in place of the usual one, `text` with the cursor in it, `hint` in grey behind it. */
export interface EditorView {
  /** Only during a search of the history. */
  readonly prompt?: string;
  /** One row's worth of safe text: line breaks and controls are made visible. May be longer than the window is wide. */
  readonly text: string;
  /** Code units of `text` in front of the cursor; always at the edge of a grapheme cluster. */
  readonly cursor: number;
  readonly hint: string;
}

/** What completes the word at the cursor. */
export interface Completion {
  /** Code units of the line that `insert` replaces: from `from`, up to but without `to`. */
  readonly from: number;
  readonly to: number;
  /** What all candidates have in common; the whole of it, with what follows, where there is one candidate only. */
  readonly insert: string;
  /** What stands behind the cursor then, such as the quotation mark that closes a path; default nothing. Part of what is replaced. */
  readonly after?: string;
  /** To be listed, already neutralised; empty: nothing completes this. */
  readonly candidates: readonly string[];
}

/** Lines of earlier, oldest first. More may appear in front while it is being read from a file. */
export interface HistoryStore {
  readonly entries: readonly string[];
  /** Takes the newest line; whether it is kept, and for how long, is the store's affair. */
  add(line: string): void;
}

export interface LineEditorOptions {
  readonly history: HistoryStore;
  /** Must not throw; a promise that rejects completes nothing. */
  complete(line: string, cursor: number): Promise<Completion> | Completion;
  /** What is expected behind `line`, shown in grey; empty for nothing. Pure and fast: asked at every redraw. */
  hintFor(line: string): string;
  /** What came of a completion that took a while, also where it is nothing: the screen treats it as the answer to a key. */
  later(action: EditorAction): void;
  /** Shown for a line break within the text; two cells at most. Default `⏎`. */
  readonly lineBreakSign?: string;
}
