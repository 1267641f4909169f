/**
 * AWAY, BLOCK and who comes and goes, as typed and as read: in a script, as JSON, and in the words of the terminal.
 */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { ClientEventOf } from '../../src/client/api.js';
import { textLimits } from '../../src/protocol/limits.js';
import { createPalette } from '../../src/terminal/colours.js';
import { parseCommand, type Command } from '../../src/terminal/commands.js';
import { JsonFace } from '../../src/terminal/json-face.js';
import { Output } from '../../src/terminal/output.js';
import { awayLines, awaySetLines, blockedLines, blockedListLines, peopleLines, presenceLines } from '../../src/terminal/people-wording.js';
import { ScriptFace } from '../../src/terminal/script-face.js';
import { assertOutput } from '../helpers/json-schema.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { Collector } from './collector.js';
import { FakeClient } from './fake-client.js';

const HOSTILE = 'x\u001b]52;c;aGk=\u0007\u202e\r\n!! Your account is closed"';

describe('a typed line about people', () => {
  const understood: [string, Command][] = [
    ['AWAY', { command: 'AWAY', text: undefined }],
    ['AWAY lunch, back at two', { command: 'AWAY', text: 'lunch, back at two' }],
    ['AWAY<lunch>', { command: 'AWAY', text: 'lunch' }],
    ['/away "lunch"', { command: 'AWAY', text: 'lunch' }],
    ['BLOCK Mallory', { command: 'BLOCK', user: 'Mallory' }],
    ['/block<mallory>', { command: 'BLOCK', user: 'mallory' }],
    ['UNBLOCK mallory', { command: 'UNBLOCK', user: 'mallory' }],
    ['list_blocked', { command: 'LIST_BLOCKED' }],
    ['/BLOCKED', { command: 'LIST_BLOCKED' }],
  ];
  for (const [line, command] of understood) it(line, () => assert.deepEqual(parseCommand(line), command));

  for (const line of ['away for lunch', 'Block the door!', 'unblock', 'Away']) {
    it(`"${line}" is meant for the peer`, () => assert.deepEqual(parseCommand(line), { command: 'SAY', text: line }));
  }

  for (const line of [`AWAY ${'x'.repeat(textLimits.awayChars + 1)}`, 'AWAY ""', 'BLOCK', 'BLOCK no name', 'UNBLOCK', 'LIST_BLOCKED bob']) {
    it(`"${line.slice(0, 30)}" says what is wrong`, () => assert.throws(() => parseCommand(line), { code: 'bad-argument' }));
  }
});

describe('the words about people', () => {
  const text = (lines: readonly { readonly prefix: string; readonly text: string }[]) => lines.map((line) => line.prefix + line.text);
  const presence = (more: Partial<ClientEventOf<'presence'>>, sessions: string[] = []) =>
    text(presenceLines({ event: 'presence', user: 'bob', state: 'online', ...more }, { interactive: true, sessions }));

  it('tell who comes, goes, is away and is back', () => {
    assert.deepEqual(presence({ before: 'offline' }), ['-- bob is online.']);
    assert.deepEqual(presence({ state: 'offline', before: 'away' }), ['-- bob is offline.']);
    assert.deepEqual(presence({ state: 'away', text: 'lunch' }), ['-- bob is away: "lunch".']);
    assert.deepEqual(presence({ state: 'away', text: '' }), ['-- bob is away.']);
    assert.deepEqual(presence({ before: 'away' }), ['-- bob is back.']);
  });

  it('do not say of a peer with an open session what the session says', () => {
    assert.deepEqual([presence({ before: 'offline' }, ['bob']), presence({ state: 'offline' }, ['bob'])], [[], []]);
    assert.deepEqual(presence({ state: 'away', text: 'lunch' }, ['bob']), ['-- bob is away: "lunch".']);
    assert.deepEqual(presence({ before: 'away' }, ['bob']), ['-- bob is back.']);
  });

  it('say nothing to a script', () => {
    const script = { interactive: false, sessions: [] };
    assert.deepEqual(presenceLines({ event: 'presence', user: 'bob', state: 'online' }, script), []);
    assert.deepEqual(peopleLines({ event: 'people', people: [{ user: 'bob', state: 'online' }] }, script), []);
  });

  it('name who is there after the login, and who of a list is away', () => {
    const people = [{ user: 'bob', state: 'online' }, { user: 'carol', state: 'away', text: 'lunch' }] as const;
    assert.deepEqual(text(peopleLines({ event: 'people', people }, { interactive: true, sessions: [] })), ['-- Online of the people you know: bob, carol (away: "lunch").']);
    const list = { clients: ['alice', 'bob'], total: 2 };
    assert.deepEqual(awayLines(list), []);
    assert.deepEqual(text(awayLines({ ...list, away: [{ user: 'alice', text: '' }, { user: 'bob', text: 'lunch' }] })), ['-- Away: alice, bob ("lunch").']);
    const crowd = Array.from({ length: 30 }, (_, n) => ({ user: `user${n}`, text: '' }));
    assert.match(text(awayLines({ ...list, away: crowd }))[0] ?? '', /user19 and 10 more\.$/u);
  });

  it('show hostile away texts as one line of visible text that closes no quotation (HOSTILE 20 to 23)', () => {
    const shown = [
      ...presence({ state: 'away', text: HOSTILE }),
      ...text(peopleLines({ event: 'people', people: [{ user: 'bob', state: 'away', text: HOSTILE }] }, { interactive: true, sessions: [] })),
      ...text(awayLines({ clients: [], total: 0, away: [{ user: 'bob', text: HOSTILE }] })),
      ...text(awaySetLines(HOSTILE)),
    ];
    assert.equal(shown.length, 4);
    for (const line of shown) {
      assert.match(line, /^-- [\x20-\x7e]*$/u);
      assert.equal(line.split('"').length, 3, line);
    }
  });

  it('say when a blocked name may be mistyped', () => {
    assert.doesNotMatch(text(blockedLines({ user: 'mallory', known: true })).join(), /spelling/u);
    assert.match(text(blockedLines({ user: 'malory', known: false })).join(), /malory is blocked.*check the spelling/u);
    assert.deepEqual(text(blockedListLines([{ user: 'eve' }, { user: 'mallory' }])), ['BLOCKED_LIST<eve, mallory>']);
  });
});

describe('people in scripts and programs', () => {
  const exec = ['AWAY lunch', 'BLOCK mallory', 'LIST_BLOCKED', 'UNBLOCK mallory', 'LIST_BLOCKED', 'AWAY'];
  const calls = ['setAway lunch', 'block mallory', 'unblock mallory', 'setAway', 'close'];
  const common = (out: Collector) => ({ stdin: new PassThrough(), stdout: new Output(out), stderr: new Output(new Collector()), homeDirectory: '/home/a', exec, stay: false, clock: new ManualClock() });

  it('run as a script', async () => {
    const [client, out] = [new FakeClient(), new Collector()];
    const face = new ScriptFace({ ...common(out), palette: createPalette(0), accept: 'all', stdinIsTTY: false, untilReceived: false });
    client.onEvent((event) => face.show(event));
    assert.equal(await face.run(client, new AbortController().signal), 0);
    assert.deepEqual(client.calls, calls);
    assert.deepEqual(out.lines().filter((line) => !line.startsWith('--')), ['BLOCKED_LIST<mallory>', 'BLOCKED_LIST<>']);
  });

  it('run with --json, and the answers are as the schema says', async () => {
    const [client, out] = [new FakeClient(), new Collector()];
    const face = new JsonFace({ ...common(out), date: () => new Date(0) });
    client.onEvent((event) => face.show(event));
    client.emit({ event: 'people', people: [{ user: 'bob', state: 'away', text: HOSTILE }] });
    client.emit({ event: 'presence', user: 'bob', state: 'online', before: 'away' });
    assert.equal(await face.run(client, new AbortController().signal), 0);
    assert.deepEqual(client.calls, calls);
    assertOutput(out.lines());
    const events = out.lines().map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(events.map(({ event }) => event), ['people', 'presence', 'blocked', 'blocked-list', 'blocked-list', 'disconnected']);
    assert.deepEqual(events.slice(2, 5).map(({ user, known, blocked }) => [user, known, blocked]), [['mallory', false, undefined], [undefined, undefined, [{ user: 'mallory' }]], [undefined, undefined, []]]);
  });
});
