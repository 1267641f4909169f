/**
 * A terminal that understands escape sequences: printed lines go into its own scroll-back, below them live rows and prompt.
 *
 * Owns when something is drawn. What the rows are stands in prompt-rows.ts and live-rows.ts, how one state of the area
 * becomes another in live-area.ts, keys in key-reader.ts and editing/, raw mode in terminal-mode.ts.
 */
import type { Key } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Clock } from '../../net/clock.js';
import { terminalLimits } from '../../protocol/limits.js';
import { visibleLines } from '../../protocol/text.js';
import { inAscii } from '../charset.js';
import type { Palette } from '../colours.js';
import type { EditorAction } from '../editing/editing-types.js';
import { LineEditor } from '../editing/line-editor.js';
import { inColumns, usableCells, type Line } from '../layout.js';
import type { Output } from '../output.js';
import { problem } from '../phrases.js';
import type { Editor, LiveRows, PromptParts, Screen, ScreenInput, Span } from '../screen.js';
import { HeldKeys } from './held-keys.js';
import { KeyReader } from './key-reader.js';
import type { Frame } from './live-area.js';
import { LiveArea, NOTHING } from './live-area.js';
import { liveBudget, liveRows } from './live-rows.js';
import { BELL, notificationText } from './notification.js';
import { Pacer } from './pacer.js';
import { paintedRows } from './painted-rows.js';
import { promptBlock } from './prompt-rows.js';
import type { NotificationKind, Rewrap } from './terminal-kind.js';
import { TerminalMode } from './terminal-mode.js';

export interface PromptScreenOptions {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly palette: Palette;
  readonly clock: Clock;
  readonly rewrap: Rewrap;
  readonly notifications: NotificationKind;
  /** Whether more than ASCII can be shown. */
  readonly utf8: boolean;
}

/** Where the terminal does not tell its size. */
const USUAL_COLUMNS = 80;
const USUAL_ROWS = 24;

/** The terminal shows what is between them at once (https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036); others ignore the mark. */
const FRAME_BEGINS = '\x1b[?2026h';
const FRAME_ENDS = '\x1b[?2026l';

export class PromptScreen implements Screen {
  readonly hasKeys = true;
  readonly hasLiveArea = true;
  readonly #options: PromptScreenOptions;
  readonly #shown: (text: string) => string;
  readonly #area = new LiveArea();
  readonly #pacer: Pacer;
  readonly #mode: TerminalMode;
  readonly #keys: KeyReader;
  readonly #held: HeldKeys;
  #state: 'new' | 'open' | 'stopped' | 'closed' = 'new';
  #input: ScreenInput | undefined;
  #editor: Editor | undefined;
  #prompt: readonly Span[] = [];
  #live: LiveRows = [];
  /** The rows of {@link #live} when they were last due. */
  #liveLines: readonly Line[] = [];
  /** Rows for the next redraw, at most `linesPerRedraw`, and bells. */
  #waiting: string[] = [];
  #sounds = '';
  #redrawIsDue = false;
  /** Resolves when output that was full is not any more. */
  #full: Promise<void> | undefined;
  readonly #resized = () => this.#resize();

  constructor(options: PromptScreenOptions) {
    this.#options = options;
    const { stdin, stdout, clock } = options;
    this.#shown = options.utf8 ? (text) => text : inAscii;
    this.#pacer = new Pacer(clock, terminalLimits.redrawEveryMs, () => this.#redrawLive());
    this.#mode = new TerminalMode(stdin, stdout, { before: () => this.#stopping(), after: () => this.#continued() });
    this.#held = new HeldKeys(clock, () => this.#editor);
    this.#keys = new KeyReader(stdin, clock, {
      key: (text, key) => this.#key(text, key),
      paste: (text) => this.#held.take(() => this.#act(this.#editor?.paste(text))),
      focus: (here) => this.#input?.focus?.(here),
      end: () => this.close(),
    });
  }

  print(lines: readonly Line[]): Promise<void> | undefined {
    const { stdout, palette } = this.#options;
    const rows = paintedRows(lines, stdout.columns, palette, this.#shown);
    if (rows.length === 0) return undefined;
    if (this.#state === 'new' || this.#state === 'closed') return stdout.write(rows.map((row) => `${row}\n`).join(''));
    this.#waiting.push(...rows);
    if (this.#waiting.length >= terminalLimits.linesPerRedraw) this.#redraw();
    else this.#redrawSoon();
    return this.#full;
  }

  start(input: ScreenInput): void {
    const { utf8, stdout } = this.#options;
    const later = (action: EditorAction) => {
      this.#act(action);
      this.#held.go();
    };
    this.#input = input;
    this.#editor = input.createEditor?.({ later, utf8 }) ?? forgetfulEditor(later);
    this.#state = 'open';
    stdout.onResize(this.#resized);
    this.#mode.on();
    this.#keys.start();
    this.#redraw();
  }

  setPrompt(prompt: string | PromptParts): void {
    this.#prompt = (typeof prompt === 'string' ? [{ text: prompt, paint: (text: string) => this.#options.palette.prompt(text) }] : prompt).map((span) => ({ ...span, text: this.#shown(span.text) }));
    this.#redrawSoon();
  }

  setLive(rows: LiveRows): void {
    this.#live = rows;
    if (this.#state !== 'open') return;
    const lines = this.#linesOfLive();
    // Progress can wait; a transfer that has ended must not stand below the line that says so.
    if (lines.length === this.#liveLines.length) this.#pacer.ask();
    else {
      this.#liveLines = lines;
      this.#redrawSoon();
    }
  }

  bell(): void {
    this.#sound(BELL);
  }

  notify(title: string, text: string): void {
    this.#sound(notificationText(this.#options.notifications, title, text, this.#options.utf8));
  }

  close(): void {
    const { stdout } = this.#options;
    if (this.#state === 'new' || this.#state === 'closed') {
      this.#state = 'closed';
      return;
    }
    this.#leaveScreen();
    this.#state = 'closed';
    this.#pacer.stop();
    stdout.offResize(this.#resized);
    this.#keys.stop();
    this.#held.drop();
    this.#mode.off();
    this.#input?.end();
  }

  #key(text: string | undefined, key: Key): void {
    const plainCtrl = key.ctrl === true && key.meta !== true && key.shift !== true;
    // What is answered is what stands there now. Without anything to answer Ctrl-Y and Ctrl-N are the editor's.
    if (plainCtrl && (key.name === 'y' || key.name === 'n') && this.#input?.answerKey(key.name === 'y') === true) return;
    if (plainCtrl && key.name === 'c') {
      // Takes back what was typed and waits, and waits for nothing.
      this.#held.drop();
      this.#give(text, key);
    } else this.#held.take(() => (plainCtrl && key.name === 'z' ? this.#mode.stop() : this.#give(text, key)));
  }

  #give(text: string | undefined, key: Key): void {
    if (key.meta === true && key.ctrl !== true && /^[1-9]$/u.test(key.name ?? '')) this.#input?.sessionKey?.(Number(key.name));
    else if (this.#editor !== undefined) {
      const typed = this.#editor.view().text;
      this.#act(this.#editor.key(text, key), typed);
    }
  }

  /** @param typed What stood on the line before. */
  #act(action: EditorAction | undefined, typed = ''): void {
    if (action === undefined || this.#state !== 'open') return;
    switch (action.kind) {
      case 'none':
        return;
      case 'redraw':
        break;
      case 'line':
        if (typed !== '' || action.text !== '') this.#waiting.push(...this.#typedRows(action.text));
        this.#input?.line(action.text);
        break;
      case 'interrupt':
        this.#input?.interrupt(action.typed);
        break;
      case 'end':
        if (this.#input?.mayEnd?.() === false) break;
        this.close();
        return;
      case 'list':
        void this.print(inColumns(action.items, usableCells(this.#columns)).map((text) => ({ kind: 'help', prefix: '', again: '', text })));
        break;
      case 'refused':
        void this.print([problem(action.message)]);
        break;
      case 'clear':
        this.#clear();
        return;
    }
    this.#redrawSoon();
  }

  get #columns(): number {
    return this.#options.stdout.columns ?? USUAL_COLUMNS;
  }

  get #rows(): number {
    return this.#options.stdout.rows ?? USUAL_ROWS;
  }

  /** One redraw for all that comes in one turn of the event loop. */
  #redrawSoon(): void {
    if (this.#redrawIsDue || this.#state !== 'open') return;
    this.#redrawIsDue = true;
    setImmediate(() => {
      if (this.#redrawIsDue) this.#redraw();
    });
  }

  #redrawLive(): void {
    this.#liveLines = this.#linesOfLive();
    // Where nobody takes what is written, progress can wait.
    if (this.#full === undefined) this.#redrawSoon();
  }

  #redraw(): void {
    this.#redrawIsDue = false;
    if (this.#state !== 'open') return;
    // Rows of a wrong width would be drawn over others.
    this.#options.stdout.refreshSize();
    const rows = this.#waiting;
    this.#waiting = [];
    const frame = this.#frame();
    this.#write(rows.length === 0 ? this.#area.update(frame) : this.#area.print(rows, frame));
  }

  #write(text: string): void {
    const sounds = this.#sounds;
    this.#sounds = '';
    if (text === '' && sounds === '') return;
    const full = this.#options.stdout.write(text === '' ? sounds : FRAME_BEGINS + text + FRAME_ENDS + sounds);
    if (full === undefined || full === this.#full) return;
    this.#full = full;
    void full.then(() => {
      this.#full = undefined;
      this.#pacer.ask();
    });
  }

  #linesOfLive(): readonly Line[] {
    const space = { cells: usableCells(this.#columns), utf8: this.#options.utf8 };
    return typeof this.#live === 'function' ? this.#live(space) : this.#live;
  }

  #frame(): Frame {
    const cells = usableCells(this.#columns);
    const { palette } = this.#options;
    const view = this.#editor?.view() ?? { text: '', cursor: 0, hint: '' };
    const prompt = view.prompt === undefined ? this.#prompt : [{ text: this.#shown(view.prompt), paint: (text: string) => palette.prompt(text) }];
    const space = { cells, rows: this.#rows, paintHint: (text: string) => palette.hint(text) };
    let block = promptBlock(prompt, { ...view, hint: this.#shown(view.hint) }, space, this.#shown);
    const budget = liveBudget(this.#liveLines.length, block.rows.length, this.#rows);
    if (budget > 0 && budget + block.rows.length > this.#rows) block = promptBlock(prompt, view, { ...space, rows: this.#rows - budget }, this.#shown);
    const live = liveRows(this.#liveLines, budget, cells, palette, this.#shown);
    return { rows: [...live, ...block.rows], cursorRow: live.length + block.cursorRow, beforeCursor: block.beforeCursor };
  }

  /** The typed line as it stays in the scroll-back: several lines where it was pasted so. */
  #typedRows(text: string): string[] {
    const [first = '', ...others] = visibleLines(text);
    const indent = [{ text: '  ' }];
    const space = { cells: usableCells(this.#columns), rows: Number.POSITIVE_INFINITY, paintHint: (hint: string) => hint };
    const rowsOfLine = (prompt: readonly Span[], line: string) => promptBlock(prompt, { text: line, cursor: 0, hint: '' }, space, this.#shown).rows.map((row) => row.painted);
    return [...rowsOfLine(this.#prompt, first), ...others.flatMap((line) => rowsOfLine(indent, line))];
  }

  #sound(text: string): void {
    if (this.#state !== 'open') return;
    this.#sounds = text;
    this.#redrawSoon();
  }

  #resize(): void {
    if (this.#state !== 'open') return;
    this.#liveLines = this.#linesOfLive();
    const erased = this.#area.eraseResized(this.#columns, this.#options.rewrap);
    this.#write(erased + this.#area.update(this.#frame()));
  }

  /** What is in the window goes into the scroll-back, not into nothing. */
  #clear(): void {
    this.#redraw();
    this.#write(`${this.#area.erase()}${'\r\n'.repeat(this.#rows)}\x1b[H${this.#area.update(this.#frame())}`);
  }

  /** Live rows and an empty prompt go; text that was never sent stays to be seen. What waits is written out. */
  #leaveScreen(): void {
    const view = this.#editor?.view();
    const rows = this.#waiting;
    this.#waiting = [];
    if (view !== undefined && view.text !== '') rows.push(...this.#typedRows(view.text));
    this.#write(this.#area.print(rows, NOTHING));
  }

  #stopping(): void {
    this.#leaveScreen();
    this.#state = 'stopped';
  }

  #continued(): void {
    this.#state = 'open';
    this.#liveLines = this.#linesOfLive();
    // Whatever wrote meanwhile may have left the cursor anywhere.
    this.#area.forget();
    this.#write('\r');
    this.#redraw();
  }
}

/** With the history of this run alone, and nothing that completes. */
function forgetfulEditor(later: (action: EditorAction) => void): Editor {
  const entries: string[] = [];
  const complete = () => ({ from: 0, to: 0, insert: '', candidates: [] });
  return new LineEditor({ history: { entries, add: (line) => void entries.push(line) }, complete, hintFor: () => '', later });
}
