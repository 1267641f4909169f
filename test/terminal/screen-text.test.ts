/**
 * What is typed and shown at its limits, in the grid of a real terminal: wide characters, floods, pastes, naughty strings,
 * terminals that can do less, and how the terminal is left behind.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { liveTransferRows } from '../../src/terminal/live-transfers.js';
import type { FaceOptions } from './face-in-terminal.js';
import { FaceInTerminal } from './face-in-terminal.js';

const naughty = createRequire(import.meta.url)('big-list-of-naughty-strings') as string[];

async function withFace(test: (face: FaceInTerminal) => Promise<void>, options: FaceOptions = {}): Promise<void> {
  const face = await FaceInTerminal.startLoggedIn(options);
  try {
    face.steer({ open: 'bob' });
    await face.terminal.waitForText(/bob> ?$/u);
    await test(face);
  } finally {
    await face.close();
  }
}

/** What the screen itself writes besides text, without colours. */
const DRAWING = /\x1b\[(?:\d+[AB]|[CJK]|\?2026[hl])|[\r\n]/gu;

/** A link of the screen's own, which must lead where its text says. */
const LINK = /\x1b\]8;id=p2p;([^\x1b]*)\x1b\\([^\x1b]*)\x1b\]8;;\x1b\\/gu;

function linkText(whole: string, target: string, text: string): string {
  return target.includes(text) ? text : whole;
}

describe('wide characters', () => {
  it('break at the edge and never in two, typed and said', () =>
    withFace(
      async (face) => {
        const family = '👨‍👩‍👧';
        const text = `漢字漢字漢字漢字${family}é${family}漢字漢字🇩🇪漢字`;
        face.message(text);
        face.terminal.type(text);
        await face.terminal.waitForText(/字$/u);
        face.message('end');
        const screen = await face.terminal.waitForText(/^bob> end$/mu);
        for (const rows of [screen.filter((row) => row.startsWith('bob> ')).map((row) => row.slice(5)), screen.slice(screen.indexOf('bob> end'))]) {
          const shown = rows.join('');
          assert.ok(shown.includes(family) && shown.includes('🇩🇪'), shown);
        }
        face.terminal.type('\x1b[D\x7f!');
        face.terminal.enter('');
        await face.called(JSON.stringify(['say', `${text.slice(0, -2)}!字`]));
      },
      { columns: 24 },
    ));
});

describe('a flood of messages', () => {
  it('loses no typed key', () =>
    withFace(async (face) => {
      const typed = 'every key counts, '.repeat(10);
      let last = 0;
      for (const key of typed) {
        for (let n = 0; n < 12; n += 1) face.message(`message ${(last += 1)}`);
        face.terminal.type(key);
      }
      face.terminal.enter('!');
      await face.called(JSON.stringify(['say', `${typed}!`]));
      const screen = await face.terminal.waitForText(new RegExp(`^bob> message ${last}$`, 'mu'));
      assert.equal(screen.filter((row) => row.startsWith('bob> message ')).length, last);
    }));
});

describe('pasted text', () => {
  it('of 200 lines is one message, whatever its lines look like', () =>
    withFace(async (face) => {
      const lines = Array.from({ length: 200 }, (_, n) => (n === 0 ? '/quit' : `line ${n}`));
      face.terminal.type(`\x1b[200~${lines.join('\r')}\x1b[201~`);
      await face.terminal.waitForText(/line 199$/u);
      face.terminal.enter('');
      await face.called(JSON.stringify(['say', lines.join('\n')]));
      await face.terminal.waitForText(/^ {2}line 199\n[^\n]*bob>$/mu);
    }));

  it('whose end got lost does not swallow what is typed afterwards', () =>
    withFace(async (face) => {
      face.terminal.type('\x1b[200~lost');
      await face.terminal.waitForText(/lost$/u);
      face.terminal.enter(' and found');
      await face.called('["say","lost and found"]');
    }));
});

describe('naughty strings', () => {
  it('as messages, file names and texts of the server leave rows and prompt intact', () =>
    withFace(
      async (face) => {
        face.terminal.type('half');
        face.message('begin');
        await face.terminal.waitForText(/^bob> begin\n.*half$/mu);
        const from = face.terminal.raw.length;
        for (const text of naughty) {
          face.message(text);
          face.steer({ emit: { event: 'transfer-note', id: 1, peer: 'bob', direction: 'incoming', name: text, path: text, note: text } });
          face.steer({ emit: { event: 'server-lost', reason: text } });
        }
        face.steer({ transfer: { name: naughty.join(''), size: 100 } });
        face.message('end');
        const screen = await face.terminal.waitForText(/^bob> end\n↓ .*\n.*bob> half$/mu);
        assert.doesNotMatch(face.terminal.raw.slice(from).replace(DRAWING, '').replace(LINK, linkText), /[\x00-\x1f\x7f-\x9f\u2028\u2029]/u);
        assert.equal(face.terminal.replies, '');
        const said = screen.slice(screen.indexOf('bob> begin'), screen.indexOf('bob> end'));
        assert.ok(said.length > naughty.length * 3);
        for (const row of said) assert.match(row, /^(?:bob>(?: |$)|-- |!! | {3}\S|$)/u);
      },
      { columns: 70, env: { NO_COLOR: '1' } },
    ));
});

describe('surroundings that can do less', () => {
  it('NO_COLOR: no colours, all else', () =>
    withFace(
      async (face) => {
        face.message('plain');
        face.steer({ transfer: { name: 'a.bin', bytes: 50, rate: 1 } });
        await face.terminal.waitForText(/^bob> plain\n[^]*^↓ a\.bin[^]*bob>$/mu);
        assert.doesNotMatch(face.terminal.raw, /\x1b\[[\d;]*m/u);
      },
      { env: { NO_COLOR: '1' } },
    ));

  it('LANG=C: ASCII alone, and what others write to be read all the same', () =>
    withFace(
      async (face) => {
        face.message('漢 é → “ok”');
        face.steer({ transfer: { name: 'ü.bin', bytes: 50, rate: 1 } });
        face.terminal.type('ä');
        await face.terminal.waitForText(/^bob> \\u6f22 \\xe9 -> "ok"$/mu);
        await face.terminal.waitForText(/^v \\xfc\.bin {2}from bob {2}\[#{10}-{10}\] {2}50 %.*\nalice -> bob> \\xe4$/mu);
        assert.match(face.terminal.raw, /^[\x00-\x7f]*$/u);
        face.terminal.enter('');
        await face.called('["say","ä"]');
      },
      { env: { LC_ALL: undefined, LC_CTYPE: undefined, LANG: 'C' } },
    ));

  it('TERM=dumb: lines, and nothing that a dumb terminal would show as rubbish', async () => {
    const face = await FaceInTerminal.start({ env: { TERM: 'dumb', TEST_USER: 'alice', P2P_PASSWORD: 'pässword' } });
    try {
      await face.terminal.waitForText(/You are alice/u);
      face.steer({ open: 'bob' });
      face.message('hello');
      face.steer({ transfer: { name: 'a.bin', bytes: 50, rate: 1 } });
      await face.terminal.waitForText(/^bob> hello$/mu);
      face.terminal.enter('typed');
      await face.called('["say","typed"]');
      assert.doesNotMatch(face.terminal.raw, /[\x1b\x07]/u);
    } finally {
      await face.close();
    }
  });
});

describe('the terminal afterwards', () => {
  const givenBack = /ended with (?<code>\d+)[^]* icanon [^]* echo /u;

  it('is as it was when the program has ended', () =>
    withFace(
      async (face) => {
        face.terminal.type('\x04');
        const screen = await face.terminal.waitForText(givenBack);
        assert.ok(!screen.some((row) => row.endsWith('bob>')), 'the empty prompt is gone');
        assert.match(face.terminal.raw, /\x1b\[\?1004l\x1b\[\?2004l[^]*ended with 0/u);
      },
      { shell: true },
    ));

  it('is as it was when the program has failed', () =>
    withFace(
      async (face) => {
        face.steer({ crash: 'nobody expected this' });
        await face.terminal.waitForText(givenBack);
        assert.match(face.terminal.raw, /\x1b\[\?1004l\x1b\[\?2004l[^]*ended with [1-9]/u);
      },
      { shell: true },
    ));

  it('is as it was while Ctrl-Z has stopped the program, which then goes on where it was', () =>
    withFace(
      async (face) => {
        face.steer({ transfer: { name: 'a.bin', bytes: 50, rate: 1 } });
        face.terminal.type('half');
        await face.terminal.waitForText(/^↓ a\.bin.*\n.*bob> half$/mu);
        face.terminal.type('\x1a');
        await face.terminal.waitForText(/stopped with [^]* icanon [^]* echo /u);
        face.message('while away');
        face.terminal.enter('');
        await face.terminal.waitForText(/^bob> while away\n↓ a\.bin.*\n.*bob> half$/mu);
        // A paste without an end shows up after a second: by then the program no longer expects a stop that was not carried out.
        face.terminal.type('\x1b[200~ way');
        await face.terminal.waitForText(/^bob> while away\n↓ a\.bin.*\n.*bob> half way$/mu);
        face.terminal.enter('');
        await face.called('["say","half way"]');
        face.steer({ done: 1 });
        await face.terminal.waitForText(/Received[^]*bob>$/u);
        assert.equal(face.terminal.screen().filter((row) => row.startsWith('↓')).length, 0, 'a bar was left behind');
        face.terminal.type('\x04');
        await face.terminal.waitForText(/ended with 0/u);
      },
      { shell: 'jobs' },
    ));
});

describe('inside tmux', () => {
  const hasTmux = spawnSync('tmux', ['-V']).status === 0;
  it('bars survive every change of width, in the history too', { skip: hasTmux ? false : 'tmux is not installed' }, async () => {
    const socket = `p2p-chat-screen-${process.pid}`;
    const face = await FaceInTerminal.startLoggedIn({ tmux: socket, columns: 90, rows: 24 });
    try {
      face.steer({ open: 'bob' });
      for (let n = 1; n <= 30; n += 1) face.message(`precious ${n}`);
      const photos = [1, 2, 3].map((id) => ({ id, peer: 'bob', direction: 'incoming', name: `photo ${id}.jpg`, kind: 'file', size: 1_000, files: 1, bytes: 1, rate: 1, state: 'running' }) as const);
      for (const photo of photos) face.steer({ transfer: photo });
      face.terminal.type('half');
      await face.terminal.waitForText(/photo 3\.jpg.*\n.*bob> half$/mu);
      for (const columns of [50, 30, 100, 41, 90]) {
        face.terminal.resize(columns, 24);
        // tmux tells the program a moment later.
        const wanted = liveTransferRows(photos, { cells: columns - 1, utf8: true }).map((line) => line.prefix + line.text);
        const seen = (screen: readonly string[]) => screen.map((row) => row.slice(0, columns).trimEnd()).join('\n');
        await face.terminal.waitUntil((screen) => seen(screen).includes(`${wanted.join('\n')}\nalice → bob> half`), `bars for ${columns} columns`);
        face.message(`at ${columns}`);
        await face.terminal.waitUntil((screen) => seen(screen).includes(`bob> at ${columns}\n${wanted.join('\n')}\nalice → bob> half`), `the message at ${columns} columns`);
      }
      // An area that fills the window, from its corner on.
      face.terminal.resize(90, 5);
      await face.terminal.waitForText(/^↓ photo 1.*\n\+2 more\nalice → bob> half/mu);
      face.terminal.resize(90, 24);
      await face.terminal.waitForText(/photo 3\.jpg.*\n.*bob> half$/mu);
      const history = spawnSync('tmux', ['-L', socket, 'capture-pane', '-p', '-S', '-'], { encoding: 'utf8' }).stdout.split('\n');
      assert.equal(history.filter((row) => /░/u.test(row)).length, 3, history.join('\n'));
      for (let n = 1; n <= 30; n += 1) assert.ok(history.includes(`bob> precious ${n}`), history.join('\n'));
    } finally {
      await face.close();
      spawnSync('tmux', ['-L', socket, 'kill-server']);
    }
  });
});
