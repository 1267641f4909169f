/**
 * No escape sequences, no prompt, no live area: for TERM=dumb, and for stdout that is no terminal.
 */
import type { Readable } from 'node:stream';
import { inAscii } from '../charset.js';
import type { Palette } from '../colours.js';
import { inputLines } from '../input-lines.js';
import type { Line } from '../layout.js';
import type { Output } from '../output.js';
import type { Screen, ScreenInput } from '../screen.js';
import { paintedRows } from './painted-rows.js';

export class PlainScreen implements Screen {
  readonly hasKeys = false;
  readonly hasLiveArea = false;
  readonly #stdin: Readable;
  readonly #stdout: Output;
  readonly #palette: Palette;
  readonly #shown: (text: string) => string;
  readonly #closed = new AbortController();

  /** @param utf8 Whether more than ASCII can be shown. */
  constructor(stdin: Readable, stdout: Output, palette: Palette, utf8 = true) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#palette = palette;
    this.#shown = utf8 ? (text) => text : inAscii;
  }

  print(lines: readonly Line[]): Promise<void> | undefined {
    const rows = paintedRows(lines, this.#stdout.columns, this.#palette, this.#shown);
    return rows.length === 0 ? undefined : this.#stdout.write(rows.map((row) => `${row}\n`).join(''));
  }

  start(input: ScreenInput): void {
    void this.#read(input);
  }

  setPrompt(): void {
    // The lines themselves tell who is spoken to.
  }

  setLive(): void {
    // Progress comes in lines (progress.ts).
  }

  bell(): void {
    // Where lines go to a file, a bell would stand in it.
  }

  notify(): void {
    // As bell().
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
