/**
 * What people read: wording, sizes, rows, and that no message can look like a notice (HOSTILE 22, 23).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ClientEvent } from '../../src/client/api.js';
import { P2pError } from '../../src/protocol/errors.js';
import type { Line } from '../../src/terminal/layout.js';
import { cellsOf, fitted, rowsOf } from '../../src/terminal/layout.js';
import { bar, formatCount, formatDuration, formatRate, formatSize, parseRate, parseSize, percent } from '../../src/terminal/quantities.js';
import type { WordingContext } from '../../src/terminal/wording.js';
import { clientInfoLines, clientListLines, errorLines, eventLines, scriptErrorText } from '../../src/terminal/wording.js';
import { FINGERPRINT } from './fake-client.js';

const context: WordingContext = { user: 'alice', current: 'bob', sessions: ['bob'], transfers: [], rateLimit: undefined, accept: 'ask', keysAnswer: undefined, interactive: true };

function words(event: ClientEvent, more: Partial<WordingContext> = {}): string[] {
  return eventLines(event, { ...context, ...more }).map(({ prefix, text }) => prefix + text);
}

const opened = { event: 'session-opened', peer: 'bob', direction: 'incoming', path: 'direct', address: '[::1]:4000', fingerprint: FINGERPRINT, firstContact: false, current: true, verified: false } as const;

const film = { id: 1, peer: 'bob', direction: 'incoming', name: 'film.mkv', kind: 'file', size: 10, files: 1, bytes: 5, state: 'reconnecting', rate: 0 } as const;

const cases: [string, ClientEvent, Partial<WordingContext>, string[]][] = [
  ['first contact with a server', { event: 'connected', server: 'h:1', fingerprint: FINGERPRINT, trust: 'new' }, {}, [
    '-- Connected to h:1.',
    `-- First contact with this server. Its fingerprint is ${FINGERPRINT}; compare it with what its operator tells you. From now on a change is refused.`,
  ]],
  ['a server known since some day', { event: 'connected', server: 'h:1', fingerprint: FINGERPRINT, trust: 'known', since: '2024-03-14' }, {}, [`-- Connected to h:1. Known server since 2024-03-14, ${FINGERPRINT}`]],
  ['a known server', { event: 'connected', server: 'h:1', fingerprint: FINGERPRINT, trust: 'known' }, {}, [`-- Connected to h:1. Known server, ${FINGERPRINT}`]],
  ['login in a script gives no advice', { event: 'logged-in', user: 'alice', new: false, fingerprint: FINGERPRINT }, { interactive: false }, [
    `-- You are alice, your fingerprint is ${FINGERPRINT}`,
  ]],
  ['a session that is not current', { ...opened, peer: 'carol', current: false }, {}, [
    '-- carol opened a session with you (direct, [::1]:4000). You still talk to bob; SWITCH_SESSION carol changes that.',
  ]],
  ['first contact with a peer', { ...opened, firstContact: true }, { interactive: false }, [
    '-- bob opened a session with you (direct, [::1]:4000).',
    `-- First contact with bob, whose key is ${FINGERPRINT}. VERIFY bob shows what to compare over another channel. A change is refused.`,
  ]],
  ['a request for a session', { event: 'session-request', peer: 'bob', fingerprint: FINGERPRINT }, {}, [
    `-- bob asks for a session (fingerprint ${FINGERPRINT}). ACCEPT_SESSION bob or REJECT_SESSION bob.`,
  ]],
  ['a lost session with unconfirmed messages', { event: 'session-closed', peer: 'bob', reason: 'no answer', code: 'link-lost', undelivered: 2 }, { current: undefined, sessions: ['carol'] }, [
    '!! The session with bob is lost: no answer',
    '!! 2 of your messages to bob were not confirmed and may be lost.',
    '-- What you type now goes to the server; SWITCH_SESSION <user> talks to carol.',
  ]],
  ['a connection that broke', { event: 'session-lost', peer: 'bob', reason: 'No answer\x1b.' }, {}, ['!! The connection to bob broke (No answer\\x1b). It is being re-made; messages and files wait.']],
  ['a connection that is back', { event: 'session-back', peer: 'bob', path: 'direct', address: '[::1]:4000', restarted: false }, {}, ['-- The connection to bob is back (direct, [::1]:4000).']],
  ['a peer that was started anew', { event: 'session-back', peer: 'bob', path: 'direct', address: '[::1]:4000', restarted: true }, {}, [
    '-- The connection to bob is back (direct, [::1]:4000).',
    "-- bob's program was started anew: files that it was sending have ended, and continue when bob sends them again.",
  ]],
  ['a peer that was started anew while files went there', { event: 'session-back', peer: 'bob', path: 'direct', address: '[::1]:4000', restarted: true }, { transfers: [{ ...film, direction: 'outgoing' }, film, { ...film, peer: 'carol', direction: 'outgoing' }] }, [
    '-- The connection to bob is back (direct, [::1]:4000).',
    "-- bob's program was started anew: files that it was sending have ended, and continue when bob sends them again.",
    '-- Offered to bob again: "film.mkv". Waiting for an answer.',
  ]],
  ['a message of several lines', { event: 'message', peer: 'bob', direction: 'in', text: 'a\n-- b' }, {}, ['bob> a', 'bob> -- b']],
  ['an own message, in a script', { event: 'message', peer: 'bob', direction: 'out', text: 'hi' }, { interactive: false }, ['alice> hi']],
  ['an own message, where it was typed', { event: 'message', peer: 'bob', direction: 'out', text: 'hi' }, {}, []],
  ['the wished-for end', { event: 'disconnected', reason: 'x', code: 'closed' }, {}, ['-- Disconnected. Goodbye.']],
  ['another end', { event: 'disconnected', reason: 'The server ends.', code: 'shutting-down' }, {}, ['!! Disconnected: The server ends.']],
];

describe('the words for an event', () => {
  for (const [name, event, more, lines] of cases) it(name, () => assert.deepEqual(words(event, more), lines));
});

describe('the words for results', () => {
  it('keep the original wording', () => {
    assert.deepEqual(clientListLines({ clients: ['alice', 'bob'], total: 2 }).map(({ text }) => text), ['CLIENT_LIST<alice, bob>']);
    assert.deepEqual(clientInfoLines({ user: 'bob', fingerprint: FINGERPRINT, addresses: ['1.2.3.4:5', '6.7.8.9:1'] }).map(({ text }) => text), ['CLIENT_INFO<bob, 1.2.3.4:5>']);
  });
  it('make errors of scripts greppable by code', () => {
    assert.equal(scriptErrorText(new P2pError('no-session', 'a\nb')), 'p2p-client: a\\nb [no-session]');
  });
});

describe('text from others', () => {
  const evil = fc.string({ unit: fc.oneof(fc.constantFrom('\x1b', '\n', '\r', '\u202e', ' ', '-', '!', '>', 'x', '漢', '😀'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 200 });

  it('never makes a row that begins otherwise than its speaker, at any width', () => {
    fc.assert(
      fc.property(evil, fc.integer({ min: 1, max: 120 }), (text, columns) => {
        for (const line of eventLines({ event: 'message', peer: 'bob', direction: 'in', text }, context)) {
          for (const row of rowsOf(line, columns)) {
            // Where half of a row is too little for the name, its end.
            assert.ok(columns < 10 ? `…${'bob> '.slice(-(row.prefix.length - 1))}`.startsWith(row.prefix) : row.prefix === 'bob> ', row.prefix);
            assert.doesNotMatch(row.text, /[\x00-\x1f\x7f-\x9f\u2028\u2029]/u);
            assert.ok(columns < 6 || cellsOf(row.prefix + row.text) < columns, 'the terminal would wrap it');
          }
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('never leaves the row of a notice, nor its form', () => {
    fc.assert(
      fc.property(evil, fc.integer({ min: 16, max: 120 }), (text, columns) => {
        const events: ClientEvent[] = [
          { event: 'offer', id: 1, peer: text, direction: 'incoming', name: text, kind: 'folder', size: 1, files: 1, counted: true },
          { event: 'offer-update', id: 1, peer: text, direction: 'incoming', name: text, size: 1, files: 1, counted: true },
          { event: 'transfer-state', id: 1, peer: text, direction: 'incoming', name: text, state: 'paused', waits: 'peer-disk-full' },
          { event: 'transfer-note', id: 1, peer: text, direction: 'incoming', name: text, path: text, note: text },
          { event: 'transfer-done', id: 1, peer: text, direction: 'incoming', name: text, kind: 'file', path: text, bytes: 1, resumed: 0, files: 1, same: 0, refused: 1, seconds: 1, blake3: text },
          { event: 'session-lost', peer: text, reason: text },
          { event: 'session-back', peer: text, path: 'direct', address: text, restarted: true },
          { event: 'transfer-failed', id: 1, peer: text, direction: 'outgoing', name: text, code: 'cancelled', message: text },
          { event: 'warning', code: 'peer-key-changed', message: text },
          { event: 'server-lost', reason: text },
          { event: 'disconnected', reason: text, code: 'displaced' },
        ];
        const lines = [...events.flatMap((event) => eventLines(event, context)), ...errorLines(new P2pError('unavailable', text))];
        for (const row of lines.flatMap((line) => rowsOf(line, columns))) {
          assert.match(row.prefix, /^(?:-- |!! | {3})$/u);
          assert.doesNotMatch(row.text, /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]/u);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('rows', () => {
  const line = (text: string): Line => ({ kind: 'message', prefix: 'bob> ', again: 'bob> ', text });
  it('break at spaces, inside words where there is none, never inside a wide character', () => {
    assert.deepEqual(rowsOf(line('one two three'), 14).map(({ text }) => text), ['one two', 'three']);
    assert.deepEqual(rowsOf(line('abcdefghijkl'), 14).map(({ text }) => text), ['abcdefgh', 'ijkl']);
    assert.deepEqual(rowsOf(line('漢字漢字漢'), 14).map(({ text }) => text), ['漢字漢字', '漢']);
  });
  it('lose no text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 60 }), (text, columns) => {
        const shown = rowsOf(line(text), columns).map((row) => row.text).join('');
        assert.equal(shown.replace(/\s/gu, ''), text.replace(/\s/gu, ''));
      }),
    );
  });
  it('can be fitted to a column, cut or filled up, also where characters are wide', () => {
    assert.equal(fitted('abc', 5), 'abc  ');
    assert.equal(fitted('abcdef', 5), 'abcd…');
    assert.equal(fitted('漢字漢', 5), '漢字…');
    assert.equal(fitted('漢字漢', 4), '漢… ');
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, cells) => assert.equal(cellsOf(fitted(text, cells)), cells)));
  });
  it('are one where there is no terminal', () => assert.equal(rowsOf(line('x'.repeat(500)), undefined).length, 1));
});

describe('quantities', () => {
  const sizes: [number, string][] = [[0, '0 bytes'], [1, '1 byte'], [999, '999 bytes'], [1000, '1.00 kB'], [999_499, '999 kB'], [999_500, '1.00 MB'], [5 * 2 ** 30, '5.37 GB'], [Number.MAX_SAFE_INTEGER, '9.01 PB']];
  for (const [bytes, text] of sizes) it(`${bytes} is ${text}`, () => assert.equal(formatSize(bytes), text));
  const times: [number, string][] = [[0.44, '0.4 s'], [9.96, '10 s'], [61, '1:01'], [3600, '1:00:00'], [Number.POSITIVE_INFINITY, '?'], [-1, '?']];
  for (const [seconds, text] of times) it(`${seconds} seconds are ${text}`, () => assert.equal(formatDuration(seconds), text));
  const written: [string, number | undefined][] = [
    ['10M', 10_000_000], ['1.5G', 1_500_000_000], ['500K', 500_000], ['500 kB', 500_000], ['64KiB', 65_536], ['2mib', 2_097_152], ['1GiB', 2 ** 30], ['1T', 1e12],
    ['1234', 1234], ['1234 bytes', 1234], ['1b', 1], ['0', undefined], ['', undefined], ['M', undefined], ['-1M', undefined], ['1e3', undefined], ['10 Mbit', undefined],
    ['1.5.2G', undefined], ['9999999999P', undefined], ['1,5G', undefined], ['0x10', undefined],
  ];
  for (const [text, bytes] of written) it(`"${text}" is read as ${bytes ?? 'nothing'}`, () => assert.equal(parseSize(text), bytes));
  it('are read back as they are shown', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 2 ** 50 }), (bytes) => assert.equal(formatSize(parseSize(formatSize(bytes)) ?? 0), formatSize(bytes))));
  });
  it('of a rate may end in /s, and are at least 1K', () => {
    assert.equal(parseRate('10MB/s'), 10_000_000);
    assert.equal(parseRate('1K'), 1000);
    assert.equal(parseRate('999'), undefined);
  });
  it('have their thousands apart', () => assert.deepEqual([7, 1234, 1_234_567].map(formatCount), ['7', '1,234', '1,234,567']));
  it('are shown for a running transfer', () => {
    assert.equal(formatRate(1234.5), '1.24 kB/s');
    assert.equal(percent(999, 1000), 99);
    assert.equal(percent(0, 0), 100);
    assert.equal(bar(50, 100, 4), '[##--]');
  });
});
