/** VERIFY, WHOIS, ACCEPT_KEY and a changed key at the three faces: a person's terminal, a script, a program. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { ClientEventOf } from '../../src/client/api.js';
import { P2pError } from '../../src/protocol/errors.js';
import { createPalette } from '../../src/terminal/colours.js';
import { JsonFace } from '../../src/terminal/json-face.js';
import { Output } from '../../src/terminal/output.js';
import { ScriptFace } from '../../src/terminal/script-face.js';
import { assertOutput } from '../helpers/json-schema.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { Collector } from './collector.js';
import { FaceInTerminal } from './face-in-terminal.js';
import { FakeClient, FINGERPRINT, OTHER_FINGERPRINT } from './fake-client.js';

const changed: ClientEventOf<'key-changed'> = { event: 'key-changed', peer: 'bob', direction: 'outgoing', known: FINGERPRINT, since: '2026-01-02', verified: false, offered: OTHER_FINGERPRINT, again: false };

/** A client whose peer has another key until that is accepted. */
function clientOfChangedPeer(): FakeClient {
  const client = new FakeClient();
  client.user = 'alice';
  client.before.set('openSession', () => {
    if (client.calls.some((call) => call.startsWith('acceptKey'))) return;
    client.emit(changed);
    throw new P2pError('peer-key-changed', 'The key of bob has changed, and nothing was sent.');
  });
  return client;
}

describe('a program', () => {
  async function conversation(lines: readonly object[]): Promise<Record<string, unknown>[]> {
    const [stdin, out] = [new PassThrough(), new Collector()];
    const face = new JsonFace({ stdin, stdout: new Output(out), stderr: new Output(new Collector()), homeDirectory: '/', exec: [], stay: false, clock: new ManualClock(), date: () => new Date(0) });
    const client = clientOfChangedPeer();
    client.onEvent((event) => face.show(event));
    const ended = face.run(client, new AbortController().signal);
    for (const line of lines) {
      stdin.write(`${JSON.stringify(line)}\n`);
      await out.until(new RegExp(`"request":${String('id' in line ? line.id : '')}`, 'u'));
    }
    stdin.end();
    await ended;
    assertOutput(out.lines());
    return out.lines().map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('gets both keys and a code when a key has changed, and goes on once it has accepted', async () => {
    const events = await conversation([
      { id: 1, command: 'GET_CLIENT_INFO bob' },
      { id: 2, command: 'ACCEPT_KEY bob' },
      { id: 3, command: 'GET_CLIENT_INFO bob' },
    ]);
    const told = events.find(({ event }) => event === 'key-changed');
    assert.deepEqual([told?.['known'], told?.['offered'], told?.['peer']], [FINGERPRINT, OTHER_FINGERPRINT, 'bob']);
    assert.deepEqual(events.filter(({ event }) => event === 'error').map(({ code, request }) => [code, request]), [['peer-key-changed', 1]]);
    const accepted = events.find(({ event }) => event === 'key-accepted');
    assert.deepEqual([accepted?.['user'], accepted?.['fingerprint'], accepted?.['previous']], ['bob', OTHER_FINGERPRINT, FINGERPRINT]);
    assert.deepEqual(events.filter(({ event }) => event === 'done').map(({ request }) => request), [2, 3]);
  });

  it('gets safety numbers, what it said about them, and what is known of somebody', async () => {
    const events = await conversation([
      { id: 1, command: 'VERIFY bob' },
      { id: 2, command: 'VERIFY bob yes' },
      { id: 3, command: 'WHOIS bob' },
    ]);
    const numbers = events.filter(({ event }) => event === 'safety-number');
    assert.deepEqual(numbers.map(({ verified }) => verified), [false, true]);
    assert.equal((numbers[0]?.['parts'] as unknown[]).length, 2);
    assert.deepEqual(events.filter(({ event }) => event === 'whois').map(({ user, fingerprint, verified }) => [user, fingerprint, verified]), [['bob', FINGERPRINT, true]]);
  });
});

describe('a script', () => {
  it('ends with 1 at a changed key, having said both keys and the command that accepts', async () => {
    const [stdin, out, err] = [new PassThrough(), new Collector(), new Collector()];
    const face = new ScriptFace({ stdin, stdout: new Output(out), stderr: new Output(err), palette: createPalette(0), clock: new ManualClock(), homeDirectory: '/', exec: ['GET_CLIENT_INFO bob', 'not said'], stay: false, accept: 'all', stdinIsTTY: false, untilReceived: false });
    const client = clientOfChangedPeer();
    client.onEvent((event) => face.show(event));
    assert.equal(await face.run(client, new AbortController().signal), 1);
    assert.ok(!client.calls.some((call) => call.startsWith('say')));
    for (const text of [FINGERPRINT, OTHER_FINGERPRINT, 'ACCEPT_KEY bob']) assert.ok(out.text.includes(text), text);
    assert.match(err.text, /\[peer-key-changed\]/u);
  });
});

describe('a person at a terminal', () => {
  it('cannot overlook a changed key, and what was half typed stays', async () => {
    const face = await FaceInTerminal.startLoggedIn({ columns: 60, rows: 40 });
    try {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/alice → bob>$/u);
      face.terminal.type('half typed');
      await face.terminal.waitForText(/half typed$/u);
      face.steer({ emit: { ...changed, direction: 'incoming', peer: 'carol' } });
      const screen = await face.terminal.waitForText(/THE KEY OF carol HAS CHANGED[^]*={30,}[^]*alice → bob> half typed$/u);
      const text = screen.join('\n');
      assert.ok(text.replace(/\s/gu, '').includes(OTHER_FINGERPRINT));
      assert.match(text, /ACCEPT_KEY carol/u);
      assert.equal(text.split('half typed').length, 2);
    } finally {
      await face.close();
    }
  });

  it('sees who is verified in the prompt from the moment of saying so', async () => {
    const face = await FaceInTerminal.startLoggedIn();
    try {
      face.steer({ open: 'bob' });
      await face.terminal.waitForText(/alice → bob>$/u);
      face.terminal.enter('VERIFY bob');
      await face.terminal.waitForText(/Safety number of alice and bob:\n.*00001 00002[^]*VERIFY bob yes/u);
      face.terminal.enter('VERIFY bob yes');
      await face.terminal.waitForText(/bob is verified\.[^]*alice → bob ✓>$/u);
    } finally {
      await face.close();
    }
  });
});
