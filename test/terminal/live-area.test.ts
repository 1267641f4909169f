/**
 * The area below the printed lines, through a headless xterm: what a person sees after any sequence of changes is what was
 * printed, and below it the area as it is now.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import xterm from '@xterm/headless';
import fc from 'fast-check';
import { cellsOf } from '../../src/terminal/layout.js';
import type { Frame } from '../../src/terminal/screen/live-area.js';
import { LiveArea } from '../../src/terminal/screen/live-area.js';

const COLUMNS = 30;
const ROWS = 8;

type Step = { readonly frame: readonly string[]; readonly cursor: readonly [row: number, cells: number] } & ({ readonly print: readonly string[] } | { readonly print?: undefined });

function frameOf({ frame, cursor: [at, cells] }: Step): Frame {
  const cursorRow = at % frame.length;
  const drawn = (text: string) => ({ painted: text, text });
  return { rows: frame.map(drawn), cursorRow, beforeCursor: drawn((frame[cursorRow] ?? '').slice(0, cells)) };
}

class Window {
  readonly terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, scrollback: 1_000, allowProposedApi: true });

  write(text: string): Promise<void> {
    return new Promise((resolve) => this.terminal.write(text, resolve));
  }

  /** Lines as they were written: rows that the terminal itself has wrapped are put together. */
  lines(): string[] {
    const buffer = this.terminal.buffer.active;
    const lines: string[] = [];
    for (let at = 0; at < buffer.length; at += 1) {
      const row = buffer.getLine(at);
      const text = row?.translateToString(true) ?? '';
      if (row?.isWrapped === true) lines.push((lines.pop() ?? '') + text);
      else lines.push(text);
    }
    while (lines.at(-1) === '') lines.pop();
    return lines;
  }

  cursor(): { row: number; column: number } {
    const { baseY, cursorY, cursorX } = this.terminal.buffer.active;
    return { row: baseY + cursorY, column: cursorX };
  }
}

const text = fc.string({ unit: fc.constantFrom('a', 'b', '-', '漢'), minLength: 1, maxLength: 14 });
const step: fc.Arbitrary<Step> = fc.record({
  frame: fc.array(text, { minLength: 1, maxLength: ROWS - 1 }),
  cursor: fc.tuple(fc.nat(ROWS), fc.nat(14)),
  print: fc.option(fc.array(text, { minLength: 1, maxLength: 4 }), { nil: undefined }),
});

function withoutEnd(rows: readonly string[]): string[] {
  const kept = [...rows];
  while (kept.at(-1) === '') kept.pop();
  return kept;
}

describe('the live area', () => {
  it('shows what was printed, and below it what is live, after any changes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const [window, area, printed] = [new Window(), new LiveArea(), [] as string[]];
        for (const one of steps) {
          const frame = frameOf(one);
          await window.write(one.print === undefined ? area.update(frame) : area.print(one.print, frame));
          printed.push(...(one.print ?? []));
          assert.deepEqual(window.lines(), withoutEnd([...printed, ...one.frame]));
          assert.deepEqual(window.cursor(), { row: printed.length + frame.cursorRow, column: cellsOf(frame.beforeCursor.text) });
        }
      }),
      { numRuns: 120 },
    );
  });

  it('is neither left behind nor destroys anything when the width changes', async () => {
    const resized = fc.record({ columns: fc.integer({ min: 4, max: 40 }), step });
    await fc.assert(
      fc.asyncProperty(fc.array(resized, { minLength: 1, maxLength: 6 }), async (changes) => {
        const [window, area] = [new Window(), new LiveArea()];
        window.terminal.resize(COLUMNS, 40);
        const printed: string[] = [];
        for (const { columns, step: one } of changes) {
          // The program writes rows that fit; the next change of width then finds them too long.
          const fits = (row: string) => row.slice(0, Math.max(1, Math.floor((window.terminal.cols - 1) / 2)));
          // In the last row: xterm.js itself takes the cursor astray where rows below it are wrapped.
          const frame = frameOf({ frame: one.frame.map(fits), cursor: [one.frame.length - 1, one.cursor[1]] });
          const rows = (one.print ?? []).map(fits);
          await window.write(area.print(rows, frame));
          printed.push(...rows);
          window.terminal.resize(columns, 40);
          await window.write(area.eraseResized(columns, 'others'));
          assert.deepEqual(window.lines(), withoutEnd(printed));
        }
      }),
      { numRuns: 120 },
    );
  });

  it('writes nothing where nothing has changed, and only the row that has', () => {
    const area = new LiveArea();
    const frame = (bar: string): Frame => frameOf({ frame: ['one', bar, 'prompt> '], cursor: [2, 8] });
    area.update(frame('bar 1'));
    assert.equal(area.update(frame('bar 1')), '');
    assert.equal(area.update(frame('bar 2')), '\x1b[1A\rbar 2\x1b[K\x1b[1B\rprompt> ');
  });
});
