/**
 * What a screen is to the rest of the program: lines above, a live area of running transfers below them, a prompt last.
 *
 * Owns the shapes only. screen/prompt-screen.ts draws in a terminal that understands escape sequences, screen/plain-screen.ts
 * writes lines. Words and colours are given to both.
 */
import type { EditorAction, EditorView } from './editing/editing-types.js';
import type { Key } from 'node:readline';
import type { Line } from './layout.js';

/** What the person does. */
export interface ScreenInput {
  /** Enter, or the end of a line. With a line break in it: pasted text, which is one message whatever it looks like. */
  line(line: string): void;
  /** Ctrl-C. `typed` was on the line, which is now empty. */
  interrupt(typed: string): void;
  /** Ctrl-Y or Ctrl-N; the typed line is as it was. @returns False where there is nothing to answer. */
  answerKey(accept: boolean): boolean;
  /** Ctrl-D on an empty line. @returns False where the person should think again: nothing ends then. */
  mayEnd?(): boolean;
  /** Nothing more will be typed: Ctrl-D on an empty line, the input ended, or {@link Screen.close}. Called once. */
  end(): void;
  /** Alt and a digit from 1 to 9. */
  sessionKey?(number: number): void;
  /** The person looks at this terminal, or at something else. Never called where the terminal does not tell. */
  focus?(here: boolean): void;
  /** Makes what keys are given to. Without it: a line editor without history and completion. */
  createEditor?(host: EditorHost): Editor;
}

/** What an editor is told of the screen that it works for. */
export interface EditorHost {
  /** Takes what came of a completion that took a while. */
  readonly later: (action: EditorAction) => void;
  /** Where it is false, {@link EditorView} is shown in ASCII. */
  readonly utf8: boolean;
}

/** The line editor as the screen uses it (editing/line-editor.ts). */
export interface Editor {
  key(text: string | undefined, key: Key): EditorAction;
  paste(text: string): EditorAction;
  view(): EditorView;
  /** A completion is looked for: keys are better given when it is there, which {@link EditorHost.later} tells. */
  readonly waits: boolean;
  /** Keys are given all the same; a completion that still finds its line unchanged then is used. */
  waitNoMore(): void;
}

/** Text in one colour. `paint` adds escape sequences and nothing else. */
export interface Span {
  readonly text: string;
  readonly paint?: (text: string) => string;
}

/** The prompt in one colour, or in several. Text of others is neutralised before it gets here. */
export type PromptParts = readonly Span[];

/** Where rows of the live area have to go. */
export interface LiveSpace {
  /** Cells that may be used. */
  readonly cells: number;
  /** Whether signs beyond ASCII can be shown. */
  readonly utf8: boolean;
}

/** One line a row, the most important first; a function is asked for them whenever they are drawn anew. */
export type LiveRows = readonly Line[] | ((space: LiveSpace) => readonly Line[]);

export interface Screen {
  /** Whether single keys are noticed, and not only whole lines. */
  readonly hasKeys: boolean;
  /** Whether {@link setLive} shows anything. */
  readonly hasLiveArea: boolean;
  /** Prints above what is being typed. A promise means that output is full. */
  print(lines: readonly Line[]): Promise<void> | undefined;
  /** From now on there is a prompt and lines are read. */
  start(input: ScreenInput): void;
  setPrompt(prompt: string | PromptParts): void;
  /** What stands between printed lines and prompt; called as often as there is news, drawn ten times a second at most. */
  setLive(rows: LiveRows): void;
  /** Rings, as the terminal is set to. */
  bell(): void;
  /** Rings, and where the terminal is known to have notifications, shows one. Text is neutralised here. */
  notify(title: string, text: string): void;
  /** Idempotent; gives the terminal back. */
  close(): void;
}
