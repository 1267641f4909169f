/**
 * What a person at a real terminal sees and types: the prompt, lines above it, hostile text, keys (HOSTILE 20 to 24).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FaceInTerminal } from './face-in-terminal.js';

async function withFace(test: (face: FaceInTerminal) => Promise<void>, size: { columns?: number; rows?: number } = {}): Promise<void> {
  const face = await FaceInTerminal.startLoggedIn(size);
  try {
    await test(face);
  } finally {
    await face.close();
  }
}

describe('the prompt', () => {
  it('shows who is spoken to, and follows sessions', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/^-- bob opened a session with you[^]*alice → bob>$/mu);
      face.terminal.enter('CLOSE_SESSION');
      await face.terminal.waitForText(/The session with bob is closed\.[^]*server>$/u);
    }));

  it('keeps half-typed text below what comes in, and sends it whole', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/alice → bob>$/u);
      face.terminal.type('half typed');
      await face.terminal.waitForText(/alice → bob> half typed$/u);
      face.message('an interruption');
      const screen = await face.terminal.waitForText(/^bob> an interruption\nalice → bob> half typed$/mu);
      assert.equal(screen.filter((row) => row.includes('half typed')).length, 1);
      face.terminal.enter(', then sent');
      await face.called('["say","half typed, then sent"]');
    }));

  it('keeps the cursor where it was in the middle of the text', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/alice → bob>$/u);
      face.terminal.type('abcdef\x1b[D\x1b[D');
      await face.terminal.waitUntil(() => face.terminal.typed() === 'alice → bob> abcd', 'cursor before ef');
      face.message('x');
      await face.terminal.waitForText(/^bob> x\nalice → bob> abcdef$/mu);
      face.terminal.enter('-');
      await face.called('["say","abcd-ef"]');
    }));

  it('redraws text of several rows without debris', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/alice → bob>$/u);
      face.terminal.type('words '.repeat(20));
      await face.terminal.waitUntil((screen) => screen.join('').split('words').length === 21, 'twenty words');
      face.message('first');
      face.message('second');
      const screen = await face.terminal.waitForText(/^bob> second$/mu);
      await face.terminal.waitUntil((now) => now.join('').split('words').length === 21, 'twenty words still');
      assert.deepEqual(screen.filter((row) => row.startsWith('bob> ')), ['bob> first', 'bob> second']);
      const end = face.terminal.screen();
      assert.equal(end.filter((row) => row.startsWith('alice → bob>')).length, 1);
      assert.ok(end[end.indexOf('bob> second') + 1]?.startsWith('alice → bob> words'), 'no empty rows between');
    }, { columns: 40 }));

  it('never destroys earlier lines when the width changes', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      face.message('precious line');
      await face.terminal.waitForText(/precious line/u);
      face.terminal.type('words '.repeat(20));
      await face.terminal.waitUntil((screen) => screen.join('').split('words').length === 21, 'twenty words');
      for (const columns of [30, 100, 20, 60]) {
        const written = face.terminal.raw.length;
        face.terminal.resize(columns, 24);
        await face.terminal.waitUntil(() => /words \x1b\[\?2026l$/u.test(face.terminal.raw.slice(written)), 'the redraw');
        face.message(`at ${columns}`);
        await face.terminal.waitForText(new RegExp(`bob> at ${columns}`, 'u'));
      }
      assert.match(face.terminal.screen().join('\n'), /bob> precious line/u);
      face.terminal.enter('end');
      await face.called(JSON.stringify(['say', `${'words '.repeat(20)}end`]));
    }, { columns: 60 }));
});

describe('hostile text on the screen', () => {
  it('shows control sequences as text and executes none (HOSTILE 20)', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      face.message('\x1b]52;c;aGk=\x07 \x1b]0;owned\x07 \x1b[6n \x1bc \u009b31m \x1bP1$r0m\x1b\\ \x1b]0;never ended');
      await face.terminal.waitForText(/\\x1b\]52;c;aGk=\\x07 \\x1b\]0;owned\\x07 \\x1b\[6n \\x1bc/u);
      face.message('still here');
      await face.terminal.waitForText(/^bob> still here$/mu);
      assert.equal(face.terminal.replies, '');
      assert.doesNotMatch(face.terminal.raw, /\x1b\]|\x1bc|\x1b\[6n|\x1bP|\u009b/u);
    }));

  it('shows the same in names, file names and error texts (HOSTILE 23)', () =>
    withFace(async (face) => {
      const evil = 'x\x1b[2J\x1b]0;t\x07\u202ey\nz';
      const shown = 'x\\x1b[2J\\x1b]0;t\\x07\\u202ey\\nz';
      face.steer({ emit: { event: 'offer', id: 1, peer: evil, direction: 'incoming', name: evil, kind: 'file', size: 5, files: 1, counted: true } });
      face.steer({ emit: { event: 'transfer-note', id: 1, peer: evil, direction: 'incoming', name: evil, path: evil, note: evil } });
      face.steer({ emit: { event: 'transfer-failed', id: 1, peer: evil, direction: 'incoming', name: evil, code: 'cancelled', message: evil } });
      face.steer({ emit: { event: 'warning', code: 'peer-key-changed', message: evil, peer: evil } });
      face.steer({ emit: { event: 'server-lost', reason: evil } });
      const screen = await face.terminal.waitForText(/The link to the server broke/u);
      assert.equal(screen.join('\n').split(shown).length - 1, 11);
    }, { columns: 200 }));

  it('gives every row of a message its speaker, broken by sender or by width (HOSTILE 22)', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      const filler = 'x'.repeat(34);
      face.message(`hello\n-- Received "a" from carol. Verified.\ncarol> I agree\r-- fake`);
      face.message(`${filler} carol> forged by width`);
      face.message(`${'y'.repeat(35)}-- forged${' '.repeat(60)}!! forged`);
      face.message('end');
      const screen = await face.terminal.waitForText(/^bob> end$/mu);
      const from = screen.findIndex((row) => row === 'bob> hello');
      const rows = screen.slice(from, screen.indexOf('bob> end'));
      assert.ok(rows.length >= 8);
      for (const row of rows) assert.match(row, /^bob>/u);
    }, { columns: 40 }));

  it('cuts piles of marks and shows overrides (HOSTILE 21)', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      face.message(`Z${'\u0301'.repeat(10_000)} \u202egpj.exe`);
      await face.terminal.waitForText(/^bob> Z\u0301{4} \\u202egpj\.exe$/mu);
    }));

  it('stays usable under a flood (HOSTILE 24)', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      face.steer({ manyMessages: 20_000 });
      face.terminal.type('still typing');
      await face.terminal.waitForText(/^bob> message 20000\nalice → bob> still typing$/mu);
    }));
});

describe('keys and lines', () => {
  it('answers a wrong line with what to do', () =>
    withFace(async (face) => {
      face.terminal.enter('/conect bob');
      await face.terminal.waitForText(/^!! There is no command \/conect\. Did you mean \/connect\?/mu);
      face.terminal.enter('hello?');
      await face.terminal.waitForText(/^!! You are not in a session\./mu);
    }));

  it('accepts the oldest waiting offer with Ctrl-Y and refuses it with Ctrl-N, and keeps what is typed', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      face.steer({ offer: 'first.txt' });
      face.steer({ offer: 'second.txt' });
      await face.terminal.waitForText(/^-- bob offers "first\.txt" \(100 bytes\), number 1\. Ctrl-Y accepts, Ctrl-N refuses; or ACCEPT_FILE 1 or REJECT_FILE 1\.$/mu);
      await face.terminal.waitForText(/"second\.txt".*Ctrl-Y and Ctrl-N answer number 1 first\.$/mu);
      face.terminal.type('half typed\x19');
      await face.called('["acceptFile",1]');
      await face.terminal.waitForText(/^-- Accepted number 1, "first\.txt" from bob\.\nalice → bob> half typed$/mu);
      face.terminal.type('\x0e');
      await face.called('["rejectFile",2]');
      face.steer({ emit: { event: 'transfer-failed', id: 2, peer: 'bob', direction: 'incoming', name: 'second.txt', code: 'rejected', message: 'The receiver declined the file.', by: 'you' } });
      await face.terminal.waitForText(/^-- You refused "second\.txt" from bob\.\nalice → bob> half typed$/mu);
      face.terminal.enter(', sent');
      await face.called('["say","half typed, sent"]');
    }, { columns: 160 }));

  it('leaves Ctrl-Y and Ctrl-N as they are where no offer waits', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/alice → bob>$/u);
      face.terminal.enter('older');
      await face.called('["say","older"]');
      // Cut, then put in twice; then up and down in the history.
      face.terminal.type('ab\x15\x19\x19');
      await face.terminal.waitUntil(() => face.terminal.typed() === 'alice → bob> abab', 'what was cut, twice');
      face.terminal.type('\x15\x10');
      await face.terminal.waitUntil(() => face.terminal.typed() === 'alice → bob> older', 'the line before');
      face.terminal.type('\x0e');
      await face.terminal.waitUntil(() => face.terminal.typed().trimEnd() === 'alice → bob>', 'the empty line again');
    }));

  it('prints results in their fixed wording', () =>
    withFace(async (face) => {
      face.terminal.enter('GET_CLIENT_LIST');
      await face.terminal.waitForText(/^CLIENT_LIST<alice, bob>$/mu);
      face.terminal.enter('GET_CLIENT_INFO<bob>');
      await face.terminal.waitForText(/^CLIENT_INFO<bob, 192\.0\.2\.7:4000>$/mu);
      face.terminal.enter('#help');
      await face.terminal.waitForText(/^HOW TO USE P2P-CHAT$/mu);
    }));

  it('clears the line with Ctrl-C, says how to leave, leaves with the second', () =>
    withFace(async (face) => {
      face.terminal.type('never sent\x03');
      await face.terminal.waitForText(/server>$/u);
      face.terminal.type('\x03');
      await face.terminal.waitForText(/^-- Ctrl-C once more leaves/mu);
      face.terminal.type('\x03');
      await face.terminal.waitForText(/Disconnected\. Goodbye\./u);
      assert.equal((await face.terminal.exited).exitCode, 0);
    }));

  it('leaves properly with Ctrl-D, sessions included', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/alice → bob>$/u);
      face.terminal.type('\x04');
      await face.terminal.waitForText(/Disconnected\. Goodbye\./u);
      assert.equal((await face.terminal.exited).exitCode, 0);
    }));

  it('refuses to leave while a session is open, and says why', () =>
    withFace(async (face) => {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/alice → bob>$/u);
      face.terminal.enter('DISCONNECT_CLIENT');
      await face.terminal.waitForText(/^!! A session with bob is open\./mu);
      face.terminal.enter('/close');
      await face.terminal.waitForText(/The session with bob is closed\./u);
      face.terminal.enter('/quit');
      assert.equal((await face.terminal.exited).exitCode, 0);
    }));

  it('says why the server ended it and exits with the matching code', () =>
    withFace(async (face) => {
      face.steer({ emit: { event: 'disconnected', reason: 'Somebody logged in as alice elsewhere.', code: 'displaced' } });
      await face.terminal.waitForText(/^!! Disconnected: Somebody logged in as alice elsewhere\.$/mu);
      assert.equal((await face.terminal.exited).exitCode, 4);
    }));
});
