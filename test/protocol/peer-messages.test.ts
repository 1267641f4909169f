/** The messages of the peer link (PROTOCOL.md 7) and its table of states (7.3); HOSTILE 28. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RemoteViolation } from '../../src/protocol/errors.js';
import { frameLimits, textLimits, transferLimits } from '../../src/protocol/limits.js';
import { encodePeerMessage, nextPeerLinkState, parsePeerMessage } from '../../src/protocol/peer-messages.js';
import type { PeerLinkState, PeerMessage, PeerRole } from '../../src/protocol/peer-messages.js';
import { clientMessages, peerMessages, serverMessages, spoiled } from './message-cases.js';
import { byteByByte, cutAt, openLink, readFrames } from './reading.js';
import { quoted, section } from './specification.js';

/** Every message that names a transfer. */
const transferTypes = Object.values(peerMessages).flatMap((message) => ('transfer' in message ? [message.type] : []));

/** A pipe has neither a known size nor a time. */
const mayBeNull = (type: string, field: string): boolean => type === 'offer' && (field === 'size' || field === 'modified');

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
    ['offer', 'files', 0, transferLimits.folderEntries],
    ['offer', 'modified', -8.64e15, 8.64e15],
    ['tally', 'size', 0, Number.MAX_SAFE_INTEGER],
    ['tally', 'files', 0, transferLimits.folderEntries],
    ['survey', 'first', 0, transferLimits.folderEntries],
    ['surveyed', 'first', 0, transferLimits.folderEntries],
    ['entries', 'first', 0, transferLimits.folderEntries],
    ['plan', 'first', 0, transferLimits.folderEntries],
    ['plan', 'count', 0, transferLimits.folderEntries],
    ['accept', 'credit', 0, Number.MAX_SAFE_INTEGER],
    ['credit', 'upTo', 0, Number.MAX_SAFE_INTEGER],
    ['verified', 'same', 0, transferLimits.folderEntries],
    ['verified', 'refused', 0, transferLimits.folderEntries],
    ['hello', 'taken', 0, Number.MAX_SAFE_INTEGER],
    ['chat', 'number', 1, Number.MAX_SAFE_INTEGER],
    ['chat-ack', 'number', 1, Number.MAX_SAFE_INTEGER],
    ...transferTypes.map((type): [string, string, number, number] => [type, 'transfer', 1, 0xffff_ffff]),
  ];
  const never = ['0.5', '1.5', 'NaN', 'Infinity', '1e999', '-1e999', '9007199254740992', '9223372036854775808', '18446744073709551616', '"1"', '[1]', '{}', 'true'];

  for (const [type, field, least, most] of fields) {
    const withField = (json: string): string => {
      const text = JSON.stringify({ ...peerMessages[type as PeerMessage['type']], [field]: '@' });
      return text.replace('"@"', json);
    };
    it(`${field} of ${type} is a whole number from ${least} to ${most}`, () => {
      for (const value of [least, least + 1, most]) assert.equal((parseText(withField(String(value))) as Record<string, unknown>)[field], value);
      for (const value of [String(least - 1), String(most + 1), ...(mayBeNull(type, field) ? never : [...never, 'null'])]) assert.throws(() => parseText(withField(value)), badMessage, value);
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
    for (const kind of ['file', 'folder'] as const) assert.deepEqual(parse({ ...peerMessages.offer, kind }), { ...peerMessages.offer, kind });
    for (const kind of ['symlink', 'device', '', 'FILE']) assert.throws(() => parse({ ...peerMessages.offer, kind }), badMessage, kind);
  });

  it('a hash is 64 lower-case hexadecimal digits', () => {
    for (const blake3 of ['AF'.repeat(32), 'a'.repeat(63), 'a'.repeat(65), `${'a'.repeat(63)}g`, `${'a'.repeat(64)}\n`, '']) {
      assert.throws(() => parse({ ...peerMessages.accept, settled: { entries: 1, blake3 } }), badMessage, blake3);
      assert.throws(() => parse({ ...peerMessages.plan, have: [{ entry: 513, points: [{ bytes: 1, blake3 }] }] }), badMessage, blake3);
    }
  });

  it('who says it, why it pauses and what it waits for are words of the specification', () => {
    for (const by of ['', 'Sender', 'me', 'both']) for (const type of ['pause', 'resume', 'waits', 'cancel'] as const) assert.throws(() => parse({ ...peerMessages[type], by }), badMessage, by);
    for (const reason of ['', 'disk', 'full']) assert.throws(() => parse({ ...peerMessages.pause, reason }), badMessage, reason);
    for (const on of ['nothing', 'disk', 'rate-limit'] as const) assert.deepEqual(parse({ ...peerMessages.waits, on }), { ...peerMessages.waits, on });
    for (const on of ['', 'network', 'person']) assert.throws(() => parse({ ...peerMessages.waits, on }), badMessage, on);
  });

  it('a session is named as an introduction is', () => {
    for (const session of ['A'.repeat(21), 'A'.repeat(23), '']) assert.throws(() => parse({ ...peerMessages.hello, session }), badMessage, session);
  });

  it('an introduction id is 22 characters of base64url', () => {
    for (const introduction of ['A'.repeat(21), 'A'.repeat(23), `${'A'.repeat(21)}+`, `${'A'.repeat(21)}=`, '']) {
      assert.throws(() => parse({ ...peerMessages.hello, introduction }), badMessage, introduction);
    }
  });
});

describe('lists and plans', () => {
  const file = { name: 'a', size: 1, modified: 0 };
  const folder = { folder: ['a'], modified: 0 };
  const point = { bytes: 1, blake3: 'a'.repeat(64) };
  const most = transferLimits.entriesPerMessage;
  const withEntries = (entries: readonly unknown[]): object => ({ ...peerMessages.entries, entries });

  it('an entry is a file or a folder', () => {
    for (const good of [[], [file], [folder], [file, folder], [folder, { ...folder, folder: ['a', 'b'] }]]) assert.deepEqual(parse(withEntries(good)), withEntries(good));
    for (const bad of [{}, null, 'a', { name: 'a' }, { folder: ['a'] }, { folder: 'a', modified: 0 }, { folder: [], modified: 0 }, { symlink: 'a', modified: 0 }, { size: 1, modified: 0 }]) {
      assert.throws(() => parse(withEntries([bad])), badMessage, JSON.stringify(bad));
      assert.throws(() => parse(withEntries([file, bad])), badMessage, JSON.stringify(bad));
    }
  });

  it('an entry that says to be both is the file, without the rest', () => {
    assert.deepEqual(parse(withEntries([{ ...folder, ...file }])), withEntries([file]));
  });

  it('an entry carries any name: names.ts refuses one, so that the rest of the folder comes', () => {
    for (const name of ['../x', '', '\0', 'a/b', '..']) {
      assert.deepEqual(parse(withEntries([{ ...file, name }])), withEntries([{ ...file, name }]));
      assert.deepEqual(parse(withEntries([{ ...folder, folder: [name] }])), withEntries([{ ...folder, folder: [name] }]));
    }
  });

  it(`a list holds up to ${most} entries, a path up to ${transferLimits.folderDepth} names`, () => {
    for (const type of ['entries', 'surveyed'] as const) {
      const listing = (count: number): object => ({ ...peerMessages[type], entries: Array.from({ length: count }, () => file) });
      assert.deepEqual(parse(listing(most)), listing(most));
      assert.throws(() => parse(listing(most + 1)), badMessage);
    }
    const deep = (names: number): object => withEntries([{ folder: Array.from({ length: names }, () => 'a'), modified: 0 }]);
    assert.deepEqual(parse(deep(transferLimits.folderDepth)), deep(transferLimits.folderDepth));
    assert.throws(() => parse(deep(transferLimits.folderDepth + 1)), badMessage);
  });

  it(`a plan names up to ${most} entries of either sort, each with 1 to ${transferLimits.pointsPerEntry} points`, () => {
    const having = (entries: number, points: number): object => ({
      ...peerMessages.plan,
      have: Array.from({ length: entries }, (_, entry) => ({ entry, points: Array.from({ length: points }, () => point) })),
    });
    const skipping = (entries: number): object => ({ ...peerMessages.plan, skip: Array.from({ length: entries }, (_, entry) => entry) });
    for (const good of [having(0, 1), having(1, transferLimits.pointsPerEntry), having(most, 1), skipping(0), skipping(most)]) assert.deepEqual(parse(good), good);
    for (const bad of [having(1, 0), having(1, transferLimits.pointsPerEntry + 1), having(most + 1, 1), skipping(most + 1)]) assert.throws(() => parse(bad), badMessage);
  });

  it('the largest plan that a receiver must give at once fits into one frame', () => {
    const points = Array.from({ length: transferLimits.pointsPerEntry }, () => ({ bytes: Number.MAX_SAFE_INTEGER, blake3: 'a'.repeat(64) }));
    const one = encodePeerMessage({ ...peerMessages.plan, have: [{ entry: transferLimits.folderEntries, points }], skip: [] });
    assert.ok(one.length - 4 <= frameLimits.controlBytes, 'one entry with all points');
    const skip = Array.from({ length: most }, () => transferLimits.folderEntries);
    assert.ok(encodePeerMessage({ ...peerMessages.plan, have: [], skip }).length - 4 <= frameLimits.controlBytes, 'nothing taken');
  });

  it('the longest path fits into one frame, whatever characters it has', () => {
    // Escaped in JSON, a control character takes six bytes for one.
    const names = Array.from({ length: transferLimits.folderDepth }, () => '\u0001'.repeat(transferLimits.pathBytes / transferLimits.folderDepth - 1));
    assert.ok(encodePeerMessage({ ...peerMessages.entries, entries: [{ folder: names, modified: -8.64e15 }], last: true }).length - 4 <= frameLimits.controlBytes);
  });
});

describe('the page', () => {
  it('names every message of the open link, and no other', () => {
    const named = new Set(quoted(section('7.3')).concat(quoted(section('7.4'))));
    const shown = new Set(Array.from(section('7.5').matchAll(/(?:→ [RS] {2}|\| )(?<type>[a-z-]+) \{/gu), (match) => match.groups?.['type'] ?? ''));
    for (const text of quoted(section('7.5.4')).concat(quoted(section('7.5.5')))) {
      const match = /^(?<type>[a-z-]+) \{/u.exec(text);
      if (match?.groups?.['type'] !== undefined) shown.add(match.groups['type']);
    }
    const transfers = Object.keys(peerMessages).filter((type) => type === 'offers-end' || (transferTypes as string[]).includes(type));
    assert.deepEqual([...shown].sort(), transfers.sort());
    assert.ok(named.has('error {code, message}') && named.has('close {}'));
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
