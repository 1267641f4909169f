/** The messages of the peer link (PROTOCOL.md 7) and its table of states (7.3); HOSTILE 28. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RemoteViolation } from '../../src/protocol/errors.js';
import { frameLimits, textLimits } from '../../src/protocol/limits.js';
import { encodePeerMessage, nextPeerLinkState, parsePeerMessage } from '../../src/protocol/peer-messages.js';
import type { PeerLinkState, PeerMessage, PeerRole } from '../../src/protocol/peer-messages.js';
import { clientMessages, peerMessages, serverMessages, spoiled } from './message-cases.js';
import { byteByByte, cutAt, openLink, readFrames } from './reading.js';

const parseText = (text: string): PeerMessage => parsePeerMessage(Buffer.from(text));
const parse = (value: unknown): PeerMessage => parseText(JSON.stringify(value));

function badMessage(error: unknown): boolean {
  return error instanceof RemoteViolation && error.code === 'bad-message';
}

describe('messages of the peer link', () => {
  for (const message of Object.values(peerMessages)) {
    it(`${message.type} is read as it was written, however it is cut`, () => {
      const frame = encodePeerMessage(message);
      const read = (chunks: Uint8Array[]): unknown[] =>
        readFrames(chunks, openLink).map((one) => one.kind === 'json' && parsePeerMessage(Buffer.from(one.body, 'hex')));
      assert.deepEqual(read([frame]), [message]);
      assert.deepEqual(read(byteByByte(frame)), [message]);
      assert.deepEqual(read([Buffer.concat([frame, frame])]), [message, message]);
      fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 6 }), (places) => assert.deepEqual(read(cutAt(frame, places)), [message])), { numRuns: 20 });
    });

    it(`${message.type} with one field missing or wrong is refused`, () => {
      for (const [what, text] of spoiled(message)) assert.throws(() => parseText(text), badMessage, what);
    });

    it(`${message.type} with fields that the page does not name reads without them`, () => {
      assert.deepEqual(parse({ ...message, extra: { deep: [1] }, path: '/etc/passwd' }), message);
    });
  }

  it('a type of the server link or of nobody is refused', () => {
    const own = new Set<string>(Object.keys(peerMessages));
    const foreign = [...Object.values(clientMessages), ...Object.values(serverMessages)].filter((message) => !own.has(message.type));
    for (const message of foreign) assert.throws(() => parse(message), badMessage, message.type);
    for (const type of ['', 'CHAT', 'data', 'constructor', null, 0, ['chat']]) assert.throws(() => parse({ type }), badMessage);
  });
});

describe('sizes, offsets and ids', () => {
  const fields: [message: string, field: string, least: number, most: number][] = [
    ['offer', 'size', 0, Number.MAX_SAFE_INTEGER],
    ['accept', 'offset', 0, Number.MAX_SAFE_INTEGER],
    ['accept', 'credit', 0, Number.MAX_SAFE_INTEGER],
    ['credit', 'upTo', 0, Number.MAX_SAFE_INTEGER],
    ['chat', 'number', 1, Number.MAX_SAFE_INTEGER],
    ['chat-ack', 'number', 1, Number.MAX_SAFE_INTEGER],
    ...(['offer', 'accept', 'reject', 'credit', 'done', 'verified', 'cancel'] as const).map((type): [string, string, number, number] => [type, 'transfer', 1, 0xffff_ffff]),
  ];
  const never = ['-1', '0.5', '1.5', 'NaN', 'Infinity', '1e999', '-1e999', '9007199254740992', '9223372036854775808', '18446744073709551616', '"1"', 'null', '[1]', '{}', 'true'];

  for (const [type, field, least, most] of fields) {
    const withField = (json: string): string => {
      const text = JSON.stringify({ ...peerMessages[type as PeerMessage['type']], [field]: '@' });
      return text.replace('"@"', json);
    };
    it(`${field} of ${type} is a whole number from ${least} to ${most}`, () => {
      for (const value of [least, least + 1, most]) assert.equal((parseText(withField(String(value))) as Record<string, unknown>)[field], value);
      for (const value of [String(least - 1), String(most + 1), ...never]) assert.throws(() => parseText(withField(value)), badMessage, value);
    });
  }
});

describe('texts', () => {
  it('a chat message holds 1 to 16,384 bytes of UTF-8, whatever characters they are', () => {
    const chat = (text: string): PeerMessage => parse({ type: 'chat', number: 1, text });
    for (const text of ['x', '\n', '\u001b]52;', '\0', 'x'.repeat(textLimits.chatBytes), '\u00e9'.repeat(textLimits.chatBytes / 2), '\u{1f600}'.repeat(textLimits.chatBytes / 4)]) {
      assert.deepEqual(chat(text), { type: 'chat', number: 1, text });
    }
    for (const text of ['', 'x'.repeat(textLimits.chatBytes + 1), '\u00e9'.repeat(textLimits.chatBytes / 2 + 1), `${'\u{1f600}'.repeat(textLimits.chatBytes / 4)}x`]) {
      assert.throws(() => chat(text), badMessage, `${text.length} characters`);
    }
  });

  it('the longest message of ordinary text fits into one frame', () => {
    for (const text of ['"'.repeat(textLimits.chatBytes), '\n'.repeat(textLimits.chatBytes), '\u00e9'.repeat(textLimits.chatBytes / 2)]) {
      assert.ok(encodePeerMessage({ type: 'chat', number: Number.MAX_SAFE_INTEGER, text }).length - 4 <= frameLimits.controlBytes);
    }
  });

  it('an offer carries any name: names.ts refuses one, so that the link lives on', () => {
    for (const name of ['../x', '', '\0', 'a/b', 'x'.repeat(1024)]) assert.equal((parse({ ...peerMessages.offer, name }) as { name: string }).name, name);
    assert.throws(() => parse({ ...peerMessages.offer, name: 'x'.repeat(1025) }), badMessage);
  });

  it('an offer is of a kind that this version knows', () => {
    for (const kind of ['folder', 'symlink', 'device', '', 'FILE']) assert.throws(() => parse({ ...peerMessages.offer, kind }), badMessage, kind);
  });

  it('a hash is 64 lower-case hexadecimal digits', () => {
    for (const blake3 of ['AF'.repeat(32), 'a'.repeat(63), 'a'.repeat(65), `${'a'.repeat(63)}g`, `${'a'.repeat(64)}\n`, '']) {
      assert.throws(() => parse({ ...peerMessages.done, blake3 }), badMessage, blake3);
    }
  });

  it('an introduction id is 22 characters of base64url', () => {
    for (const introduction of ['A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(21)}+`, `${'A'.repeat(21)}=`, '']) {
      assert.throws(() => parse({ ...peerMessages.hello, introduction }), badMessage, introduction);
    }
  });
});

describe('what a peer may send when', () => {
  const states: readonly PeerLinkState[] = ['hello', 'waiting', 'open'];
  const roles: readonly PeerRole[] = ['asker', 'answerer'];
  const types = Object.keys(peerMessages) as PeerMessage['type'][];
  const inOpen = types.filter((type) => type !== 'hello' && type !== 'go' && type !== 'error');

  /** PROTOCOL.md 7.3, written out once more: state, role of the sender → type → next state. */
  const specified: Record<PeerLinkState, Record<PeerRole, Partial<Record<PeerMessage['type'], PeerLinkState>>>> = {
    hello: { asker: { hello: 'waiting', error: 'hello' }, answerer: { hello: 'waiting', error: 'hello' } },
    waiting: { asker: { go: 'open', error: 'waiting' }, answerer: { error: 'waiting' } },
    open: {
      asker: { ...Object.fromEntries(inOpen.map((type) => [type, 'open'])), error: 'open' },
      answerer: { ...Object.fromEntries(inOpen.map((type) => [type, 'open'])), error: 'open' },
    },
  };

  for (const state of states) {
    for (const role of roles) {
      for (const type of types) {
        const next = specified[state][role][type];
        it(`${state}: ${type} from the ${role} ${next === undefined ? 'is refused' : `leads to ${next}`}`, () => {
          if (next !== undefined) assert.equal(nextPeerLinkState(state, role, type), next);
          else {
            const unexpected = (error: unknown): boolean => error instanceof RemoteViolation && error.code === 'unexpected-message';
            assert.throws(() => nextPeerLinkState(state, role, type), unexpected);
          }
        });
      }
    }
  }
});
