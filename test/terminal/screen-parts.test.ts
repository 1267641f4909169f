/** The pure parts of the screen: what a terminal is known for, notifications, ASCII, pace, rows of prompt and live lines. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { inAscii, isUtf8 } from '../../src/terminal/charset.js';
import { createPalette } from '../../src/terminal/colours.js';
import type { Line } from '../../src/terminal/layout.js';
import { cellsOf, clustersOf, inColumns, rowsOf } from '../../src/terminal/layout.js';
import { liveBudget, liveRows } from '../../src/terminal/screen/live-rows.js';
import { notificationText } from '../../src/terminal/screen/notification.js';
import { Pacer } from '../../src/terminal/screen/pacer.js';
import { promptBlock } from '../../src/terminal/screen/prompt-rows.js';
import { notificationKindOf, rewrapOf } from '../../src/terminal/screen/terminal-kind.js';
import { ManualClock } from '../helpers/manual-clock.js';

const odd = fc.string({ unit: fc.constantFrom('a', ' ', '漢', '👨‍👩‍👧', '🇩🇪', 'e\u0301', 'क्', '→'), maxLength: 60 });

describe('whether a terminal wraps rows anew', () => {
  const cases: [string, Record<string, string>, string][] = [
    ['tmux does, whatever it runs in', { TERM: 'screen-256color', TMUX: '/tmp/x', XTERM_VERSION: '1' }, 'all'],
    ['screen does not', { TERM: 'screen.xterm-256color', STY: '1.x', VTE_VERSION: '7600' }, 'no'],
    ['xterm itself does not', { TERM: 'xterm-256color', XTERM_VERSION: 'XTerm(390)' }, 'no'],
    ['the console of Linux does not', { TERM: 'linux' }, 'no'],
    ['the VTE family does', { TERM: 'xterm-256color', VTE_VERSION: '7600' }, 'all'],
    ['xterm.js does, but for the row of the cursor', { TERM: 'xterm-256color', TERM_PROGRAM: 'vscode' }, 'others'],
    ['an unknown one that calls itself xterm probably does', { TERM: 'xterm-256color' }, 'others'],
    ['of all others nothing is known', {}, 'no'],
  ];
  for (const [name, env, rewrap] of cases) it(name, () => assert.equal(rewrapOf(env), rewrap));
});

describe('a notification', () => {
  it('goes only where it is known to be understood', () => {
    assert.deepEqual(
      [{ TERM: 'xterm-256color' }, { TERM_PROGRAM: 'iTerm.app' }, { TERM: 'foot' }, { TERM: 'xterm', VTE_VERSION: '7600' }, { TERM: 'tmux-256color', TMUX: 'x', VTE_VERSION: '7600' }].map(notificationKindOf),
      ['none', 'osc9', 'osc777', 'osc777', 'none'],
    );
  });
  it('holds what others write as text, and no end of its own but one', () => {
    fc.assert(
      fc.property(fc.constantFrom('osc9' as const, 'osc777' as const, 'none' as const), fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), fc.boolean(), (kind, title, text, utf8) => {
        const sent = notificationText(kind, `\x1b]2;${title}`, `\x07\x9c;${text}`, utf8);
        assert.match(sent, kind === 'none' ? /^\x07$/u : /^\x1b\](?:9;- |777;notify;[^;]*;)[^\x00-\x1f\x7f-\x9f]*\x07\x07$/u);
        assert.ok(sent.length < 5_000);
      }),
    );
  });
});

describe('the character set of a terminal', () => {
  it('is named by the first of LC_ALL, LC_CTYPE and LANG that is set, and UTF-8 where none is', () => {
    assert.deepEqual(
      [{}, { LANG: 'C' }, { LANG: 'C.UTF-8' }, { LC_ALL: 'POSIX', LANG: 'en_US.UTF-8' }, { LC_ALL: '', LC_CTYPE: 'en_US.utf8', LANG: 'C' }, { LANG: 'de_DE' }].map(isUtf8),
      [true, false, true, false, true, false],
    );
  });
  it('may be ASCII: then nothing else is left', () => {
    assert.equal(inAscii('alice → bob… “é” 漢 😀'), 'alice -> bob... "\\xe9" \\u6f22 \\u{1f600}');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => assert.match(inAscii(text), /^[\x00-\x7f]*$/u)));
  });
});

describe('the pace of redraws', () => {
  it('is once in its time, at once after a rest, and never lost', () => {
    const clock = new ManualClock();
    const drawn: number[] = [];
    const pacer = new Pacer(clock, 100, () => drawn.push(clock.now()));
    for (let n = 0; n < 50; n += 1) {
      pacer.ask();
      clock.advance(7);
    }
    clock.advance(1_000);
    pacer.ask();
    assert.ok(drawn.every((at, n) => n === 0 || at - (drawn[n - 1] ?? 0) >= 100), drawn.join());
    assert.equal(drawn.at(-1), 1_350);
    assert.equal(clock.pending, 0);
  });
});

describe('rows', () => {
  it('of the prompt hold the whole line, none too wide, and the cursor where it belongs', () => {
    fc.assert(
      fc.property(odd, odd, fc.integer({ min: 8, max: 80 }), fc.nat(), (prompt, text, cells, at) => {
        const clusters = clustersOf(text);
        const before = clusters.slice(0, at % (clusters.length + 1)).join('');
        const block = promptBlock([{ text: prompt }], { text, cursor: before.length, hint: '' }, { cells, rows: Number.POSITIVE_INFINITY, paintHint: (hint) => hint });
        const all = block.rows.map((row) => row.text).join('');
        assert.ok(all.endsWith(text), all);
        const kept = all.slice(0, all.length - text.length);
        assert.ok(prompt.endsWith(kept.replace(/^…/u, '')), kept);
        assert.equal(block.rows.slice(0, block.cursorRow).map((row) => row.text).join('') + block.beforeCursor.text, kept + before);
        for (const row of block.rows) assert.ok(cellsOf(row.text) <= Math.max(cells, 12), row.text);
      }),
    );
  });
  it('of the prompt that have no room are left out around the cursor', () => {
    const view = { text: 'abcdefghij'.repeat(4), cursor: 0, hint: '' };
    const shown = (cursor: number) => promptBlock([], { ...view, cursor }, { cells: 10, rows: 2, paintHint: (hint) => hint });
    assert.deepEqual([shown(0).cursorRow, shown(15).cursorRow, shown(40).cursorRow], [0, 0, 1]);
    assert.equal(shown(0).rows.length, 2);
  });
  it('of letters that join without end are broken all the same (HOSTILE 22)', () => {
    const line: Line = { kind: 'message', prefix: 'bob> ', again: 'bob> ', text: 'क्'.repeat(500) };
    for (const columns of [10, 40]) for (const row of rowsOf(line, columns)) assert.ok(cellsOf(row.prefix + row.text) < columns);
  });
  it('of a live area are counted where there is no room, and never push the prompt out', () => {
    const lines = Array.from({ length: 5 }, (_, n): Line => ({ kind: 'transfer', prefix: '> ', again: '', text: `number ${n}` }));
    const rows = (budget: number) => liveRows(lines, budget, 20, createPalette(0), (text) => text).map((row) => row.text);
    assert.deepEqual(rows(3), ['> number 0', '> number 1', '+3 more']);
    assert.deepEqual(rows(1), ['> number 0 +4']);
    fc.assert(
      fc.property(fc.nat(20), fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 60 }), (wanted, promptRows, windowRows) => {
        const budget = liveBudget(wanted, promptRows, windowRows);
        assert.ok(budget <= wanted && budget < Math.max(2, windowRows));
        if (promptRows + wanted + 1 <= windowRows && wanted <= windowRows / 2) assert.equal(budget, wanted);
      }),
    );
  });
  it('of a list stand in columns', () => {
    assert.deepEqual(inColumns(['one', 'two', 'three', 'four'], 14), ['one    three', 'two    four']);
    assert.deepEqual(inColumns(['a long one'], 4), ['a l…']);
    assert.deepEqual(inColumns([], 20), []);
  });
});
