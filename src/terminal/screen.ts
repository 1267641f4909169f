/**
 * Where lines are printed and typed: a terminal with a prompt that stays below what is printed, or plain lines.
 *
 * Owns the cursor and the typed line; words and colours are given to it. The terminal's own scroll-back is left alone.
 */
import type { Interface, Key } from 'node:readline';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Writable } from 'node:stream';
import type { Palette } from './colours.js';
import { inputLines } from './input-lines.js';
import type { Line } from './layout.js';
import { rowsOf } from './layout.js';
import type { Output } from './output.js';
import { terminalLimits } from '../protocol/limits.js';

/** What the person does. */
export interface ScreenInput {
  line(line: string): void;
  /** Ctrl-C. `typed` was on the line, which is now empty. */
  interrupt(typed: string): void;
  /** Ctrl-Y or Ctrl-N; the typed line is as it was. @returns False where there is nothing to answer. */
  answerKey(accept: boolean): boolean;
  /** Nothing more will be typed: Ctrl-D on an empty line, the input ended, or {@link Screen.close}. Called once. */
  end(): void;
}

export interface Screen {
  /** Whether single keys are noticed, and not only whole lines. */
  readonly hasKeys: boolean;
  /** Prints above what is being typed. A promise means that output is full. */
  print(lines: readonly Line[]): Promise<void> | undefined;
  /** From now on there is a prompt and lines are read. */
  start(input: ScreenInput): void;
  setPrompt(prompt: string): void;
  /** Idempotent; gives the terminal back. */
  close(): void;
}

/** The terminal as node:readline sees it: its width changes only when {@link PromptScreen} has made ready for that. */
class PromptOutput extends Writable {
  readonly #output: Output;
  columns: number | undefined;

  constructor(output: Output) {
    super({ decodeStrings: false });
    this.#output = output;
    this.columns = output.columns;
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    void this.#output.write(String(chunk));
    done();
  }
}

/** A terminal that understands escape sequences. */
export class PromptScreen implements Screen {
  readonly hasKeys = true;
  readonly #stdin: Readable;
  readonly #stdout: Output;
  readonly #palette: Palette;
  #state: 'new' | 'open' | 'closed' = 'new';
  #readline: Interface | undefined;
  #promptOutput: PromptOutput | undefined;
  #prompt = '';
  /** Lines for the next redraw, at most `linesPerRedraw`. */
  #waiting: string[] = [];
  readonly #resized = () => this.#resize();

  constructor(stdin: Readable, stdout: Output, palette: Palette) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#palette = palette;
  }

  print(lines: readonly Line[]): Promise<void> | undefined {
    const rows = paintedRows(lines, this.#stdout, this.#palette);
    if (this.#state !== 'open') return rows.length === 0 ? undefined : this.#stdout.write(rows.map((row) => `${row}\n`).join(''));
    // One redraw for all that comes in one turn of the event loop.
    if (this.#waiting.length === 0 && rows.length > 0) setImmediate(() => void this.#flush());
    this.#waiting.push(...rows);
    return this.#waiting.length >= terminalLimits.linesPerRedraw ? this.#flush() : undefined;
  }

  start(input: ScreenInput): void {
    this.#state = 'open';
    this.#promptOutput = new PromptOutput(this.#stdout);
    const readline = createInterface({ input: this.#stdin, output: this.#promptOutput, terminal: true, prompt: this.#palette.prompt(this.#prompt) });
    insertWherePasted(readline);
    this.#readline = readline;
    this.#stdout.onResize(this.#resized);
    const answered = (_text: string | undefined, key: Key | undefined) => takeAnswerKey(key, input);
    this.#stdin.prependListener('keypress', answered);
    readline.on('line', (line) => {
      // The prompt comes back at once, so that rows printed meanwhile know where they stand.
      readline.prompt();
      input.line(line);
    });
    readline.on('SIGINT', () => {
      const typed = readline.line;
      readline.write(null, { ctrl: true, name: 'e' });
      readline.write(null, { ctrl: true, name: 'u' });
      input.interrupt(typed);
    });
    // By close(), by Ctrl-D, or because the terminal is gone.
    readline.once('close', () => {
      this.#state = 'closed';
      this.#stdout.offResize(this.#resized);
      this.#stdin.off('keypress', answered);
      // Not through readline, which would read stdin again. An empty prompt goes; text that was never sent stays to be seen.
      const prompt = readline.line === '' ? '\r\x1b[J' : '\n';
      void this.#stdout.write(prompt + this.#waiting.map((row) => `${row}\n`).join(''));
      this.#waiting = [];
      input.end();
    });
    readline.prompt();
  }

  setPrompt(prompt: string): void {
    if (prompt === this.#prompt) return;
    this.#prompt = prompt;
    if (this.#state !== 'open') return;
    // What is waiting belongs above the old prompt, and readline must redraw before it is asked where the cursor is.
    void this.#flush();
    this.#readline?.setPrompt(this.#palette.prompt(prompt));
    this.#readline?.prompt(true);
  }

  close(): void {
    if (this.#state === 'open') {
      // What comes next begins below the typed line.
      this.#readline?.write(null, { ctrl: true, name: 'e' });
      this.#readline?.close();
    }
    this.#state = 'closed';
  }

  /**
   * Clears the prompt and the typed line, writes, and has readline draw both again below. readline goes up by as many rows
   * as the cursor was below the first row of the prompt, so as many empty ones are written for it.
   */
  #flush(): Promise<void> | undefined {
    const rows = this.#waiting;
    if (rows.length === 0 || this.#readline === undefined || this.#state !== 'open') return undefined;
    this.#waiting = [];
    const above = this.#readline.getCursorPos().rows;
    const up = above > 0 ? `\x1b[${above}A` : '';
    const full = this.#stdout.write(`\r${up}\x1b[J${rows.join('\n')}\n${'\n'.repeat(above)}`);
    this.#readline.prompt(true);
    return full;
  }

  /**
   * After a change of width nobody knows whether this terminal has wrapped the typed line anew, and so how far the cursor
   * is from its first row. Going too far up would destroy lines above; so readline may go up only what was gone down here.
   */
  #resize(): void {
    const { columns } = this.#stdout;
    if (this.#readline === undefined || this.#promptOutput === undefined || columns === undefined) return;
    const before = this.#readline.getCursorPos().rows;
    this.#promptOutput.columns = columns;
    if (this.#readline.getCursorPos().rows !== before) void this.#stdout.write('\n'.repeat(before));
    this.#promptOutput.emit('resize');
  }
}

/**
 * While a chunk of several keys is being read, node:readline (to 20.20 at least) sets `isCompletionEnabled` to false, and then
 * appends text at the end of the line whatever the cursor, and forgets how many rows the line has. Nothing is completed
 * here, so it may as well stay true.
 */
function insertWherePasted(readline: Interface): void {
  Object.defineProperty(readline, 'isCompletionEnabled', { get: () => true, set: () => undefined });
}

/**
 * Runs before readline's own listener, which gets the same object: a key that was an answer is made into one that readline
 * ignores, the bare Escape. Without anything to answer Ctrl-Y stays "yank" and Ctrl-N "next line of the history".
 */
function takeAnswerKey(key: Key | undefined, input: ScreenInput): void {
  if (key?.ctrl !== true || key.meta === true || key.shift === true || (key.name !== 'y' && key.name !== 'n')) return;
  if (!input.answerKey(key.name === 'y')) return;
  key.name = 'escape';
  key.ctrl = false;
}

/** No escape sequences, no prompt: for TERM=dumb, and for stdout that is no terminal. */
export class PlainScreen implements Screen {
  readonly hasKeys = false;
  readonly #stdin: Readable;
  readonly #stdout: Output;
  readonly #palette: Palette;
  readonly #closed = new AbortController();

  constructor(stdin: Readable, stdout: Output, palette: Palette) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#palette = palette;
  }

  print(lines: readonly Line[]): Promise<void> | undefined {
    const rows = paintedRows(lines, this.#stdout, this.#palette);
    return rows.length === 0 ? undefined : this.#stdout.write(rows.map((row) => `${row}\n`).join(''));
  }

  start(input: ScreenInput): void {
    void this.#read(input);
  }

  setPrompt(): void {
    // The lines themselves tell who is spoken to.
  }

  close(): void {
    this.#closed.abort();
  }

  async #read(input: ScreenInput): Promise<void> {
    for await (const one of inputLines(this.#stdin, this.#closed.signal)) {
      if ('line' in one) input.line(one.line);
    }
    input.end();
  }
}

/** Lines broken to the width of the terminal and coloured: one string a row, without line ends. */
function paintedRows(lines: readonly Line[], stdout: Output, palette: Palette): string[] {
  return lines.flatMap((line) => rowsOf(line, stdout.columns).map((row) => palette.line(line.kind, row.prefix, row.text)));
}
