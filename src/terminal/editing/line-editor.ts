/**
 * The line that a person types, as a state machine: keys and pastes in, actions and a view out.
 *
 * Owns what keys mean, history, search and when a line is done. Streams, drawing and raw mode are the screen's; where
 * history and completions come from stands in history.ts and completion.ts. Text that was pasted with line breaks stays one
 * line here and leaves as one message.
 */
import type { Key } from 'node:readline';
import { editingLimits, textLimits } from '../../protocol/limits.js';
import { visibleLine, visibleLines } from '../../protocol/text.js';
import { formatSize } from '../quantities.js';
import { EditedText } from './edited-text.js';
import type { Completion, EditorAction, EditorView, LineEditorOptions } from './editing-types.js';
import { atBoundary, nextBoundary, previousBoundary, spacedWordStart, wordEnd, wordStart } from './graphemes.js';
import type { SearchDirection } from './history-search.js';
import { HistorySearch } from './history-search.js';
import type { Binding } from './key-bindings.js';
import { bindingOf } from './key-bindings.js';
import { KillRing } from './kill-ring.js';

const NONE: EditorAction = { kind: 'none' };
const REDRAW: EditorAction = { kind: 'redraw' };
/** Keys that a search takes itself; every other one first takes over what was found. */
const SEARCH_KEYS: ReadonlySet<Binding | undefined> = new Set<Binding>(['search-back', 'search-forward', 'delete-back', 'cancel']);

export class LineEditor {
  readonly #options: LineEditorOptions;
  readonly #line = new EditedText();
  readonly #kills = new KillRing();
  /** Lines of the history, and the new one, as they were left when another was gone to. */
  readonly #left = new Map<number, string>();
  #search: HistorySearch | undefined;
  #lastQuery = '';
  /** What the last key did, for keys that go on with it. */
  #last: Binding | undefined;
  /** What Ctrl-Y or Alt-. put in last, from where; what comes instead replaces it. */
  #putInAt = 0;
  #argumentBack = 0;
  /** The completion that is waited for; it is dropped when the line has changed meanwhile. */
  #asked: { readonly text: string; readonly cursor: number; list: boolean; overdue: boolean } | undefined;

  constructor(options: LineEditorOptions) {
    this.#options = options;
  }

  /** One key, as node:readline's emitKeypressEvents tells it. */
  key(text: string | undefined, key: Key): EditorAction {
    const binding = bindingOf(key);
    if (this.#search !== undefined && (SEARCH_KEYS.has(binding) || (binding === undefined && isText(text, key)))) {
      return this.#searchKey(this.#search, binding, text ?? '');
    }
    const searched = this.#endSearch();
    const action = binding === undefined ? this.#type(text, key) : this.#perform(binding);
    this.#last = binding;
    return searched && action.kind === 'none' ? REDRAW : action;
  }

  /** Text that was pasted, line breaks and all: it becomes part of the line and sends nothing. */
  paste(text: string): EditorAction {
    this.#endSearch();
    this.#last = undefined;
    return this.#insert(text.replace(/\r\n?/gu, '\n').replace(/\n$/u, ''), 'at once');
  }

  view(): EditorView {
    const sign = this.#options.lineBreakSign ?? '⏎';
    const { text, cursor } = this.#line;
    if (this.#search !== undefined) return searchView(this.#search, text, cursor, sign);
    const before = shown(text.slice(0, cursor), sign);
    const atEnd = cursor === text.length && !text.includes('\n');
    return { ...withCursor(before, shown(text.slice(cursor), sign)), hint: atEnd ? this.#options.hintFor(text) : '' };
  }

  get waits(): boolean {
    return this.#asked !== undefined && !this.#asked.overdue && this.#isAsLeft(this.#asked);
  }

  waitNoMore(): void {
    if (this.#asked !== undefined) this.#asked.overdue = true;
  }

  #type(text: string | undefined, key: Key): EditorAction {
    return isText(text, key) ? this.#insert(text, 'typed') : NONE;
  }

  #insert(text: string, how: 'typed' | 'at once'): EditorAction {
    if (text === '') return NONE;
    const length = this.#line.text.length + text.length;
    // A code unit has at most three bytes of UTF-8.
    if (length * 3 > editingLimits.lineBytes && Buffer.byteLength(this.#line.text) + Buffer.byteLength(text) > editingLimits.lineBytes) {
      const size = formatSize(Buffer.byteLength(text));
      return { kind: 'refused', message: `That is too long for a line (${size}), so it was left out. Put it into a file and send that with SEND_FILE.` };
    }
    this.#line.insert(text, how);
    return REDRAW;
  }

  #perform(binding: Binding): EditorAction {
    const line = this.#line;
    const { text, cursor } = line;
    switch (binding) {
      case 'line-start':
        return redrawIf(line.moveTo(0));
      case 'line-end':
        return redrawIf(line.moveTo(text.length));
      case 'char-back':
        return redrawIf(line.moveTo(previousBoundary(text, cursor)));
      case 'char-forward':
        return redrawIf(line.moveTo(nextBoundary(text, cursor)));
      case 'word-back':
        return redrawIf(line.moveTo(wordStart(text, cursor)));
      case 'word-forward':
        return redrawIf(line.moveTo(wordEnd(text, cursor)));
      case 'delete-back':
        return redrawIf(line.remove(previousBoundary(text, cursor), cursor) !== '');
      case 'delete-or-end':
        if (text === '') return { kind: 'end' };
        return redrawIf(line.remove(cursor, nextBoundary(text, cursor)) !== '');
      case 'delete-forward':
        return redrawIf(line.remove(cursor, nextBoundary(text, cursor)) !== '');
      case 'kill-to-end':
        return this.#kill(cursor, text.length);
      case 'kill-word-forward':
        return this.#kill(cursor, wordEnd(text, cursor));
      case 'kill-to-start':
        return this.#kill(0, cursor);
      case 'kill-spaced-word-back':
        return this.#kill(spacedWordStart(text, cursor), cursor);
      case 'kill-word-back':
        return this.#kill(wordStart(text, cursor), cursor);
      case 'yank':
        return this.#putIn(this.#kills.newest());
      case 'yank-older':
        return this.#last === 'yank' || this.#last === 'yank-older' ? this.#putIn(this.#kills.older(), this.#putInAt) : NONE;
      case 'last-argument':
        return this.#lastArgument();
      case 'transpose':
        return redrawIf(line.transpose());
      case 'upper-case':
      case 'lower-case':
      case 'capitalise':
        return redrawIf(line.changeWord(binding));
      case 'undo':
        return redrawIf(line.undo());
      case 'revert':
        return redrawIf(line.revert());
      case 'older':
        return this.#goTo(line.place + 1);
      case 'newer':
        return this.#goTo(line.place - 1);
      case 'oldest':
        return this.#goTo(this.#options.history.entries.length);
      case 'newest':
        return this.#goTo(0);
      case 'search-back':
      case 'search-forward':
        return this.#startSearch(binding === 'search-back' ? 'back' : 'forward');
      case 'accept':
        return this.#accept();
      case 'line-break':
        return this.#insert('\n', 'at once');
      case 'complete':
        return this.#complete();
      case 'cancel':
        return NONE;
      case 'clear':
        return { kind: 'clear' };
      case 'interrupt':
        this.#left.clear();
        this.#asked = undefined;
        this.#line.become('', 0);
        return { kind: 'interrupt', typed: text };
    }
  }

  #accept(): EditorAction {
    const { text } = this.#line;
    const bytes = Buffer.byteLength(text);
    if (bytes > textLimits.chatBytes) {
      return { kind: 'refused', message: `That is too long (${formatSize(bytes)}): a message takes at most ${formatSize(textLimits.chatBytes)}. Shorten it, or put it into a file and send that with SEND_FILE.` };
    }
    this.#line.clear();
    this.#left.clear();
    this.#asked = undefined;
    if (text.trim() !== '') this.#options.history.add(text);
    return { kind: 'line', text };
  }

  #kill(from: number, to: number): EditorAction {
    const forward = to > this.#line.cursor;
    const goesOn = this.#last?.startsWith('kill-') === true;
    const killed = this.#line.remove(from, to);
    this.#kills.take(killed, !goesOn ? 'new' : forward ? 'behind' : 'in front');
    return redrawIf(killed !== '');
  }

  /** `text` at the cursor, or in place of what was put in at `from` just now. */
  #putIn(text: string | undefined, from = this.#line.cursor): EditorAction {
    if (text === undefined) return NONE;
    this.#putInAt = from;
    this.#line.replace(from, this.#line.cursor, text);
    return REDRAW;
  }

  /** The last word of the line before; again, of the one before that. */
  #lastArgument(): EditorAction {
    const { entries } = this.#options.history;
    const again = this.#last === 'last-argument';
    this.#argumentBack = again ? this.#argumentBack + 1 : 1;
    const word = /\S+(?=\s*$)/u.exec(entries.at(-this.#argumentBack) ?? '')?.[0];
    if (this.#argumentBack > entries.length || word === undefined) return NONE;
    return this.#putIn(word, again ? this.#putInAt : this.#line.cursor);
  }

  /** The line `place` steps before the new one, as it was left. */
  #goTo(place: number): EditorAction {
    const line = this.#line;
    const { entries } = this.#options.history;
    if (place < 0 || place > entries.length || place === line.place) return NONE;
    this.#left.set(line.place, line.text);
    line.become(this.#left.get(place) ?? entries.at(-place) ?? '', place);
    return REDRAW;
  }

  #startSearch(direction: SearchDirection): EditorAction {
    this.#search = new HistorySearch(() => this.#options.history.entries, direction);
    return REDRAW;
  }

  #searchKey(search: HistorySearch, binding: Binding | undefined, text: string): EditorAction {
    if (binding === 'cancel') {
      this.#lastQuery = search.query === '' ? this.#lastQuery : search.query;
      this.#search = undefined;
    } else if (binding === 'delete-back') search.shrink();
    else if (binding === undefined) search.extend(text.toWellFormed());
    else search.again(binding === 'search-back' ? 'back' : 'forward', this.#lastQuery);
    return REDRAW;
  }

  /** The line that was found, if one was, is now the line. @returns Whether there was a search. */
  #endSearch(): boolean {
    const search = this.#search;
    if (search === undefined) return false;
    this.#search = undefined;
    this.#last = undefined;
    if (search.query !== '') this.#lastQuery = search.query;
    const { match } = search;
    if (match === undefined) return true;
    this.#left.set(this.#line.place, this.#line.text);
    this.#line.become(match.text, match.at + 1);
    this.#line.moveTo(match.column);
    return true;
  }

  #complete(): EditorAction {
    const { text, cursor } = this.#line;
    const again = this.#last === 'complete';
    if (this.#asked?.text === text && this.#asked.cursor === cursor) {
      this.#asked.list ||= again;
      return NONE;
    }
    const completion = this.#options.complete(text, cursor);
    if (!(completion instanceof Promise)) return this.#completed(completion, again);
    const asked = { text, cursor, list: again, overdue: false };
    this.#asked = asked;
    const answered = (found: Completion | undefined) => {
      if (this.#asked !== asked) return;
      this.#asked = undefined;
      if (this.#isAsLeft(asked)) this.#options.later(found === undefined ? NONE : this.#completed(found, asked.list));
    };
    void completion.then(answered, () => answered(undefined));
    return NONE;
  }

  /** Whether the line is the one that a completion was asked for. */
  #isAsLeft({ text, cursor }: { readonly text: string; readonly cursor: number }): boolean {
    return this.#line.text === text && this.#line.cursor === cursor && this.#search === undefined;
  }

  #completed({ from, to, insert, after = '', candidates }: Completion, list: boolean): EditorAction {
    if (candidates.length === 0) return NONE;
    const { text } = this.#line;
    if (text.slice(from, to) !== insert + after) {
      this.#line.replace(from, to, insert + after, from + insert.length);
      return REDRAW;
    }
    return list ? { kind: 'list', items: candidates } : NONE;
  }
}

function redrawIf(changed: boolean): EditorAction {
  return changed ? REDRAW : NONE;
}

/** Whether a key is a letter, a sign or a space, not a control and not part of an escape sequence. */
function isText(text: string | undefined, key: Key): text is string {
  return text !== undefined && key.ctrl !== true && key.meta !== true && !/[\p{Cc}]/u.test(text);
}

/** Safe to draw in one row. Both sides of a cursor can be shown on their own, since it stands between clusters. */
function shown(text: string, lineBreakSign: string): string {
  return text.includes('\n') ? visibleLines(text).join(lineBreakSign) : visibleLine(text.replaceAll('\t', '    '));
}

function searchView(search: HistorySearch, text: string, cursor: number, sign: string): EditorView {
  const { match } = search;
  const line = match?.text ?? text;
  const before = shown(line.slice(0, match?.column ?? cursor), sign);
  const what = search.failing ? 'nothing found for' : search.direction === 'back' ? 'search' : 'search forward';
  return { prompt: `(${what}) "${visibleLine(search.query)}": `, ...withCursor(before, shown(line.slice(match?.column ?? cursor), sign)), hint: '' };
}

/** What became visible in front of the cursor may have become one with what stands behind it, such as a sign that colours an emoji. */
function withCursor(before: string, behind: string): { readonly text: string; readonly cursor: number } {
  const text = before + behind;
  return { text, cursor: atBoundary(text, before.length) };
}
