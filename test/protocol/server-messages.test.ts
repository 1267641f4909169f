/** The messages of the server link (PROTOCOL.md 5) and its table of states (5.6); HOSTILE 6, 9. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RemoteViolation } from '../../src/protocol/errors.js';
import { frameLimits, peerLimits, serverLimits, textLimits } from '../../src/protocol/limits.js';
import { encodeServerLinkMessage, nextServerLinkState, parseClientMessage, parseServerMessage } from '../../src/protocol/server-messages.js';
import type { ClientMessage, ServerLinkState, ServerMessage } from '../../src/protocol/server-messages.js';
import { badUserNames, clientMessages, serverMessages, spoiled } from './message-cases.js';
import { byteByByte, cutAt, openLink, readFrames } from './reading.js';
import { quoted, section, tableRows } from './specification.js';

const client = (value: unknown): ClientMessage => parseClientMessage(Buffer.from(JSON.stringify(value)));
const server = (value: unknown): ServerMessage => parseServerMessage(Buffer.from(JSON.stringify(value)));

function badMessage(error: unknown): boolean {
  return error instanceof RemoteViolation && error.code === 'bad-message';
}

const sides = [
  { side: 'client', messages: Object.values(clientMessages), parse: parseClientMessage },
  { side: 'server', messages: Object.values(serverMessages), parse: parseServerMessage },
] as const;

describe('messages of the server link', () => {
  for (const { side, messages, parse } of sides) {
    for (const message of messages) {
      it(`${side}: ${message.type} is read as it was written, however it is cut`, () => {
        const frame = encodeServerLinkMessage(message);
        const read = (chunks: Uint8Array[]): unknown[] =>
          readFrames(chunks, openLink).map((one) => one.kind === 'json' && parse(Buffer.from(one.body, 'hex')));
        assert.deepEqual(read([frame]), [message]);
        assert.deepEqual(read(byteByByte(frame)), [message]);
        assert.deepEqual(read([Buffer.concat([frame, frame])]), [message, message]);
        fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 6 }), (places) => assert.deepEqual(read(cutAt(frame, places)), [message])), { numRuns: 20 });
      });

      it(`${side}: ${message.type} with one field missing or wrong is refused`, () => {
        for (const [what, text] of spoiled(message)) assert.throws(() => parse(Buffer.from(text)), badMessage, what);
      });

      it(`${side}: ${message.type} with fields that the page does not name reads without them`, () => {
        assert.deepEqual(parse(Buffer.from(JSON.stringify({ ...message, extra: { deep: [1] }, constructor: 1, toString: 2 }))), message);
      });
    }

    it(`${side}: a type of the other direction, of the other link or of nobody is refused`, () => {
      const own = new Set<string>(messages.map((message) => message.type));
      const foreign = [...Object.values(clientMessages), ...Object.values(serverMessages)].filter((message) => !own.has(message.type));
      for (const message of foreign) assert.throws(() => parse(Buffer.from(JSON.stringify(message))), badMessage, message.type);
      for (const type of ['', 'HELLO', 'chat', 'go', '__proto__', 'constructor', 'toString', 'hello ', 'x'.repeat(60_000)]) {
        assert.throws(() => parse(Buffer.from(JSON.stringify({ type }))), badMessage, type.slice(0, 20));
      }
      for (const text of ['{}', '{"type":null}', '{"type":["ping"]}', '{"type":{"type":"ping"}}', '{"type":0}']) {
        assert.throws(() => parse(Buffer.from(text)), badMessage, text);
      }
    });
  }

  it('an error names the field and never its content', () => {
    const secret = 'sesame\u001b]52;c;';
    assert.throws(() => client({ ...clientMessages['login-start'], user: secret }), { message: 'A message has a missing or wrong field: user.' });
    assert.throws(() => client({ type: secret }), (error: Error) => !error.message.includes('sesame'));
    assert.throws(
      () => client({ ...clientMessages.connect, reach: { port: 1, candidates: [{ address: secret, port: 1 }] } }),
      { message: 'A message has a missing or wrong field: reach.candidates.0.address.' },
    );
  });
});

describe('user names in messages', () => {
  const good = ['a', '0', 'A.b_c-9', 'z'.repeat(textLimits.userNameChars), '7..', 'con', 'constructor'];
  const places: [string, (user: string) => ClientMessage | ServerMessage][] = [
    ['name-check', (user) => client({ ...clientMessages['name-check'], user })],
    ['register-start', (user) => client({ ...clientMessages['register-start'], user })],
    ['login-start', (user) => client({ ...clientMessages['login-start'], user })],
    ['resume', (user) => client({ ...clientMessages.resume, user })],
    ['connect', (user) => client({ ...clientMessages.connect, to: user })],
    ['watch', (user) => client({ ...clientMessages.watch, users: ['bob', user] })],
    ['watching', (user) => server({ ...serverMessages.watching, present: [{ user }] })],
    ['presence', (user) => server({ ...serverMessages.presence, user })],
    ['clients away', (user) => server({ ...serverMessages.clients, away: [{ user, text: '' }] })],
    ['list after', (user) => client({ ...clientMessages.list, after: user })],
    ['welcome', (user) => server({ ...serverMessages.welcome, user })],
    ['clients', (user) => server({ ...serverMessages.clients, clients: ['bob', user] })],
    ['asked', (user) => server({ ...serverMessages.asked, from: { ...serverMessages.asked.from, user } })],
    ['introduction', (user) => server({ ...serverMessages.introduction, peer: { ...serverMessages.introduction.peer, user } })],
  ];
  for (const [place, parse] of places) {
    it(`in ${place}`, () => {
      for (const name of good) assert.doesNotThrow(() => parse(name), name);
      for (const [why, name] of badUserNames) assert.throws(() => parse(name), badMessage, why);
    });
  }

  it('a prefix is part of a name or empty', () => {
    for (const prefix of ['', 'a', '.', '_x', 'a'.repeat(32)]) assert.doesNotThrow(() => client({ ...clientMessages.list, prefix }));
    for (const prefix of ['a'.repeat(33), 'a ', '\u0430', '*', '%', 'a\n', '\0', '[a-z]']) {
      assert.throws(() => client({ ...clientMessages.list, prefix }), badMessage, prefix);
    }
    assert.deepEqual(client({ type: 'list', id: 1 }), { type: 'list', id: 1, prefix: '' });
  });
});

describe('fields with a limit', () => {
  const candidate = { address: '10.0.0.1', port: 2000 };
  const limits: [what: string, atLimit: () => unknown, beyond: () => unknown][] = [
    ['versions', () => client({ ...clientMessages.hello, versions: Array(8).fill(1) }), () => client({ ...clientMessages.hello, versions: Array(9).fill(1) })],
    ['versions, fewest', () => client({ ...clientMessages.hello, versions: [65_535] }), () => client({ ...clientMessages.hello, versions: [] })],
    ['a version', () => client({ ...clientMessages.hello, versions: [1] }), () => client({ ...clientMessages.hello, versions: [65_536] })],
    ['features', () => client({ ...clientMessages.hello, features: Array(32).fill('x') }), () => client({ ...clientMessages.hello, features: Array(33).fill('x') })],
    ['agent', () => client({ ...clientMessages.hello, agent: 'x'.repeat(64) }), () => client({ ...clientMessages.hello, agent: 'x'.repeat(65) })],
    [
      'candidates',
      () => client({ ...clientMessages.connect, reach: { port: 1, candidates: Array(peerLimits.candidates).fill(candidate) } }),
      () => client({ ...clientMessages.connect, reach: { port: 1, candidates: Array(peerLimits.candidates + 1).fill(candidate) } }),
    ],
    ['away text', () => client({ ...clientMessages.away, text: 'x'.repeat(200) }), () => client({ ...clientMessages.away, text: 'x'.repeat(201) })],
    ['away text, shortest', () => client({ ...clientMessages.away, text: 'x' }), () => client({ ...clientMessages.away, text: '' })],
    [
      'names to watch',
      () => client({ ...clientMessages.watch, users: Array(serverLimits.watchedPerLink).fill('bob') }),
      () => client({ ...clientMessages.watch, users: Array(serverLimits.watchedPerLink + 1).fill('bob') }),
    ],
    [
      'sealed key',
      () => client({ ...clientMessages['register-finish'], sealedKey: 'A'.repeat(Math.ceil((serverLimits.sealedKeyBytes * 4) / 3)) }),
      () => client({ ...clientMessages['register-finish'], sealedKey: 'A'.repeat(Math.ceil((serverLimits.sealedKeyBytes * 4) / 3) + 1) }),
    ],
    ['error text', () => server({ ...serverMessages.error, message: 'x'.repeat(500) }), () => server({ ...serverMessages.error, message: 'x'.repeat(501) })],
    [
      'a page of the list',
      () => server({ ...serverMessages.clients, clients: Array(serverLimits.listPage).fill('bob') }),
      () => server({ ...serverMessages.clients, clients: Array(serverLimits.listPage + 1).fill('bob') }),
    ],
  ];
  for (const [what, atLimit, beyond] of limits) {
    it(what, () => {
      assert.doesNotThrow(atLimit);
      assert.throws(beyond, badMessage);
    });
  }

  it('base64url takes no other alphabet, no padding and no space', () => {
    for (const request of ['AA+A', 'AA/A', 'AAA=', 'AA A', 'AAAA\n', '']) {
      assert.throws(() => client({ ...clientMessages['login-start'], request }), badMessage, request);
    }
  });

  it('a page full of the longest names fits into one frame', () => {
    const longest = Array.from({ length: serverLimits.listPage }, (_, n) => String(n).padStart(textLimits.userNameChars, 'a'));
    const frame = encodeServerLinkMessage({ ...serverMessages.clients, clients: longest, next: longest[0]!, away: longest.map((user) => ({ user, text: '' })) });
    const away = serverLimits.awayBytesPerReply;
    assert.ok(frame.length - 4 + away <= frameLimits.controlBytes, `${frame.length} bytes`);
  });

  it('the largest message before login fits into the small frame', () => {
    const base64 = (bytes: number): string => 'A'.repeat(Math.ceil((bytes * 4) / 3));
    const largest = { ...clientMessages['register-finish'], record: base64(512), sealedKey: base64(serverLimits.sealedKeyBytes) };
    assert.ok(encodeServerLinkMessage(largest).length - 4 <= frameLimits.beforeLoginBytes);
  });
});

/** The table of PROTOCOL.md 5.6, with the sentence below it: bye everywhere, ping and pong from `anonymous` on. */
function specifiedStates(): Map<string, Map<string, string>> {
  const table = new Map<string, Map<string, string>>();
  for (const [stateCell = '', rules = ''] of tableRows(section('5.6'))) {
    const state = quoted(stateCell)[0] ?? '';
    const heartbeats = state === 'hello' ? ['bye'] : ['bye', 'ping', 'pong'];
    const legal = new Map(heartbeats.map((type) => [type, state]));
    for (const rule of rules.split(';')) {
      const [types = '', next = ''] = rule.split('→');
      for (const type of types.split(',')) legal.set(type.trim(), next.trim());
    }
    table.set(state, legal);
  }
  return table;
}

describe('what a client may send when', () => {
  const states: readonly ServerLinkState[] = ['hello', 'anonymous', 'registering', 'proving', 'ready'];
  const types = Object.keys(clientMessages) as ClientMessage['type'][];
  const specified = specifiedStates();

  it('the specification names the states and messages of the code', () => {
    assert.deepEqual([...specified.keys()], states);
    const named = new Set([...specified.values()].flatMap((legal) => [...legal.keys()]));
    assert.deepEqual([...named].sort(), [...types].sort());
  });

  for (const state of states) {
    for (const type of types) {
      const next = specified.get(state)?.get(type);
      it(`${state}: ${type} ${next === undefined ? 'is refused' : `leads to ${next}`}`, () => {
        if (next !== undefined) assert.equal(nextServerLinkState(state, type), next);
        else {
          const unexpected = (error: unknown): boolean => error instanceof RemoteViolation && error.code === 'unexpected-message';
          assert.throws(() => nextServerLinkState(state, type), unexpected);
        }
      });
    }
  }

  it('nothing but a login or its return leads to ready', () => {
    const ways = states.flatMap((state) => types.filter((type) => state !== 'ready' && specified.get(state)?.get(type) === 'ready'));
    assert.deepEqual(ways, ['resume', 'login-finish']);
  });
});

describe('time grows with the size and no faster', () => {
  const long = 1_000_000;
  const costly: [string, () => unknown][] = [
    ['an address of dots', () => client({ ...clientMessages.connect, reach: { port: 1, candidates: [{ address: '1.'.repeat(long), port: 1 }] } })],
    ['an address of colons', () => client({ ...clientMessages.connect, reach: { port: 1, candidates: [{ address: ':0'.repeat(long), port: 1 }] } })],
    ['a user name', () => client({ ...clientMessages['login-start'], user: 'a'.repeat(long) })],
    ['a user name that fails at its end', () => client({ ...clientMessages['login-start'], user: `${'a.-_'.repeat(long)}\n` })],
    ['base64url', () => client({ ...clientMessages['login-start'], request: 'A'.repeat(long) })],
    ['very many candidates', () => client({ ...clientMessages.connect, reach: { port: 1, candidates: Array(50_000).fill({ address: '::', port: 1 }) } })],
    ['very many features', () => client({ ...clientMessages.hello, features: Array(100_000).fill('x') })],
  ];
  for (const [what, parse] of costly) {
    it(what, () => {
      const start = performance.now();
      assert.throws(parse, badMessage);
      assert.ok(performance.now() - start < 3_000);
    });
  }
});
