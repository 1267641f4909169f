/** What a person reads about keys: a changed one cannot be overlooked, and no name or key of others can forge a line. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { ClientEventOf, SafetyNumberInfo, WhoisInfo } from '../../src/client/api.js';
import { rowsOf, type Line } from '../../src/terminal/layout.js';
import { acceptedKeyLines, keyChangedLines, safetyNumberLines, serverKeyChangedLines, whoisLines } from '../../src/terminal/trust-wording.js';
import { FINGERPRINT, OTHER_FINGERPRINT } from './fake-client.js';

const textOf = (lines: readonly Line[]) => lines.map(({ prefix, text }) => prefix + text);

const changed: ClientEventOf<'key-changed'> = { event: 'key-changed', peer: 'bob', direction: 'incoming', known: FINGERPRINT, since: '2026-01-02', verified: false, offered: OTHER_FINGERPRINT, again: false };
const number: SafetyNumberInfo = {
  user: 'bob',
  fingerprint: FINGERPRINT,
  key: 'known',
  verified: false,
  parts: [
    { user: 'alice', digits: ['00001', '00002', '00003', '00004', '00005', '00006'], words: ['abandon', 'ability', 'able', 'about', 'above', 'absent', 'absorb'] },
    { user: 'bob', digits: ['10001', '10002', '10003', '10004', '10005', '10006'], words: ['zoo', 'zone', 'zero', 'zebra', 'youth', 'young', 'you'] },
  ],
};
const NOW = Date.parse('2026-11-22T20:00:00Z');
const known: WhoisInfo = { user: 'bob', self: false, online: true, fingerprint: FINGERPRINT, since: '2026-01-02', verified: false };

describe('a changed key', () => {
  it('is a red block in a frame, with both keys and the command', () => {
    const lines = keyChangedLines(changed, []);
    assert.ok(lines.every(({ kind }) => kind === 'error'));
    const text = textOf(lines);
    assert.match(text[0] ?? '', /^!! ={60}$/u);
    assert.equal(text.at(-1), text[0]);
    assert.match(text[1] ?? '', /^!! THE KEY OF bob HAS CHANGED\. Somebody with the new key asks for a session; it was refused\. Nothing is sent or received until you decide\.$/u);
    assert.deepEqual(text.slice(2, 4), [`!! Old key: ${FINGERPRINT} (known since 2026-01-02)`, `!! New key: ${OTHER_FINGERPRINT}`]);
    assert.match(text.join('\n'), /If the new key is right: ACCEPT_KEY bob\. Otherwise do nothing/u);
  });

  it('asks for more than the name where the old one was verified', () => {
    const text = textOf(keyChangedLines({ ...changed, verified: true, direction: 'outgoing' }, [])).join('\n');
    assert.match(text, /No session was opened/u);
    assert.match(text, /\(known since 2026-01-02, and verified by you\)/u);
    assert.match(text, /ACCEPT_KEY bob <last 8 characters of the new key>/u);
  });

  it('does not stop a session that is open under the old one, and says so', () => {
    assert.match(textOf(keyChangedLines(changed, ['bob'])).join('\n'), /Your open session with bob is under the old key, and goes on\./u);
  });

  it('that is told again takes one line', () => {
    assert.deepEqual(textOf(keyChangedLines({ ...changed, again: true }, [])), [`!! bob asks again with a key that you have not accepted: ${OTHER_FINGERPRINT}. Blocked. VERIFY bob, ACCEPT_KEY bob.`]);
  });

  it('that was accepted is named beside the old one, and what follows', () => {
    assert.deepEqual(textOf(acceptedKeyLines({ user: 'bob', fingerprint: OTHER_FINGERPRINT, previous: FINGERPRINT, wasVerified: true })), [
      `-- The key of bob is now ${OTHER_FINGERPRINT}.`,
      `-- Before it was ${FINGERPRINT}, which stays in known_peers as a comment.`,
      '-- bob is not verified any more: VERIFY bob. GET_CLIENT_INFO bob opens a session.',
    ]);
  });
});

describe('a changed key of the server', () => {
  it('is a red block in a frame, a sentence a line', () => {
    const message = `THE KEY OF THE SERVER chat.example:9090 HAS CHANGED. Nothing was sent. Old key: ${FINGERPRINT} New key: ${OTHER_FINGERPRINT} Either the one or the other.`;
    const frame = `!! ${'='.repeat(60)}`;
    assert.deepEqual(textOf(serverKeyChangedLines(message)), [
      frame,
      '!! THE KEY OF THE SERVER chat.example:9090 HAS CHANGED.',
      '!! Nothing was sent.',
      `!! Old key: ${FINGERPRINT}`,
      `!! New key: ${OTHER_FINGERPRINT}`,
      '!! Either the one or the other.',
      frame,
    ]);
  });
});

describe('a safety number', () => {
  it('stands in groups under the names, and says how it is compared', () => {
    assert.deepEqual(textOf(safetyNumberLines(number, 'show')), [
      '-- Safety number of alice and bob:',
      '--   alice  00001 00002 00003 00004 00005 00006',
      '--          abandon ability able about above absent absorb',
      '--   bob    10001 10002 10003 10004 10005 10006',
      '--          zoo zone zero zebra youth young you',
      '-- bob types VERIFY too. Compare the digits or the words on another channel: a call, or face to face, not in this chat.',
      '-- The same on both sides: VERIFY bob yes. Different: VERIFY bob no, and send nothing that matters.',
    ]);
  });

  it('of a key that is not accepted says so, and leads to ACCEPT_KEY', () => {
    const text = textOf(safetyNumberLines({ ...number, key: 'offered' }, 'show'));
    assert.equal(text[0], '-- Safety number with the NEW key of bob, which you have not accepted:');
    assert.match(text.at(-1) ?? '', /ACCEPT_KEY takes it/u);
  });

  it('of somebody verified says since when; yes and no say what they did', () => {
    assert.match(textOf(safetyNumberLines({ ...number, verified: true, verifiedOn: '2026-01-03' }, 'show')).at(-1) ?? '', /You verified bob on 2026-01-03/u);
    assert.match(textOf(safetyNumberLines({ ...number, verified: true }, 'yes')).join(), /^-- bob is verified\./u);
    assert.match(textOf(safetyNumberLines(number, 'no')).join(), /^-- bob is not verified\..*BLOCK bob/u);
  });
});

describe('WHOIS', () => {
  it('is a table: key, trust, session, path, round trip, bytes', () => {
    const session = { state: 'open', direction: 'outgoing', path: 'direct', addresses: ['192.0.2.7:4000', '10.0.0.7:4000'], since: '2026-11-22T19:48:00.000Z', roundTripMs: 1.24, bytesSent: 1_234_567, bytesReceived: 12 } as const;
    const text = textOf(whoisLines({ ...known, verified: true, verifiedOn: '2026-01-03', away: 'lunch', session }, NOW));
    assert.deepEqual(text.filter((line) => !line.includes('session')), [
      '-- bob:',
      '--   here        online, away: lunch',
      `--   key         ${FINGERPRINT}`,
      '--   trust       known since 2026-01-02, verified on 2026-01-03',
      '--   path        direct, 192.0.2.7:4000',
      '--   also at     10.0.0.7:4000',
      '--   round trip  1.2 ms',
      '--   bytes       1.23 MB sent, 12 bytes received',
    ]);
    assert.match(text.find((line) => line.includes('session')) ?? '', /^-- {3}session {5}open, begun by you at 2026-11-2\d \d\d:\d\d, 12:00 ago$/u);
  });

  it('of somebody without a session, never met, with a key to decide about, and of oneself', () => {
    assert.deepEqual(textOf(whoisLines({ ...known, online: false, offered: [OTHER_FINGERPRINT] }, NOW)), [
      '-- bob:',
      '--   here     not online',
      `--   key      ${FINGERPRINT}`,
      '--   trust    known since 2026-01-02, not verified (VERIFY bob)',
      `--   new key  ${OTHER_FINGERPRINT}, blocked until ACCEPT_KEY bob`,
      '--   session  none',
    ]);
    assert.ok(textOf(whoisLines({ user: 'carol', self: false, online: true, verified: false }, NOW)).some((line) => line.includes('never met')));
    assert.ok(textOf(whoisLines({ ...known, self: true }, NOW)).some((line) => line.includes('this is you')));
    const waiting = { state: 'lost', direction: 'incoming', path: 'direct', addresses: [], since: '2026-11-22T19:48:00.000Z', bytesSent: 0, bytesReceived: 0 } as const;
    assert.match(textOf(whoisLines({ ...known, session: waiting }, NOW)).join('\n'), /connection lost, being re-made, begun by the other side/u);
  });
});

describe('names and keys of others (HOSTILE 22, 23)', () => {
  const evil = fc.string({ unit: fc.oneof(fc.constantFrom('\x1b', '\n', '\r', '\u202e', ' ', '-', '!', '>', '='), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 100 });

  it('never leave their row, nor its form', () => {
    fc.assert(
      fc.property(evil, fc.integer({ min: 16, max: 120 }), (text, columns) => {
        const session = { state: 'open', direction: 'incoming', path: 'direct', addresses: [text, text], since: text, bytesSent: 0, bytesReceived: 0 } as const;
        const lines = [
          ...keyChangedLines({ ...changed, peer: text, known: text, since: text, offered: text }, [text]),
          ...keyChangedLines({ ...changed, peer: text, offered: text, again: true }, []),
          ...safetyNumberLines({ ...number, user: text, parts: [{ user: text, digits: [text], words: [text] }] }, 'show'),
          ...serverKeyChangedLines(text),
          ...acceptedKeyLines({ user: text, fingerprint: text, previous: text, wasVerified: true }),
          ...whoisLines({ ...known, user: text, away: text, fingerprint: text, since: text, offered: [text], session }, NOW),
        ];
        for (const row of lines.flatMap((line) => rowsOf(line, columns))) {
          assert.match(row.prefix, /^(?:-- |!! | {3})$/u);
          assert.doesNotMatch(row.text, /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202e]/u);
        }
      }),
      { numRuns: 300 },
    );
  });
});
