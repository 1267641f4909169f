/**
 * The JSON conversation: every line handled as it arrives, ids given back, nothing else on stdout.
 */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { P2pError } from '../../src/protocol/errors.js';
import type { ExitCode } from '../../src/terminal/exit-codes.js';
import { JsonFace } from '../../src/terminal/json-face.js';
import { BadLine, jsonLine, parseJsonLine } from '../../src/terminal/json-lines.js';
import { Output } from '../../src/terminal/output.js';
import { assertOutput } from '../helpers/json-schema.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { Collector } from './collector.js';
import { BLAKE3, FakeClient } from './fake-client.js';

const AT = new Date(0);

class Conversation {
  readonly client = new FakeClient();
  readonly clock = new ManualClock();
  readonly stdin = new PassThrough();
  readonly out: Collector;
  readonly err = new Collector();
  readonly stop = new AbortController();
  readonly face: JsonFace;
  readonly ended: Promise<ExitCode>;

  constructor(options: { exec?: string[]; stay?: boolean; highWaterMark?: number } = {}) {
    this.out = new Collector(options.highWaterMark);
    const { exec = [], stay = false } = options;
    this.face = new JsonFace({ stdin: this.stdin, stdout: new Output(this.out), stderr: new Output(this.err), homeDirectory: '/home/a', exec, stay, clock: this.clock, date: () => AT });
    this.client.user = 'alice';
    this.client.onEvent((event) => this.face.show(event));
    this.ended = this.face.run(this.client, this.stop.signal);
  }

  send(line: unknown): void {
    this.stdin.write(`${typeof line === 'string' ? line : JSON.stringify(line)}\n`);
  }

  /** What was written, all of it as the schema says; without `at`. */
  events(): Record<string, unknown>[] {
    assertOutput(this.out.lines());
    return this.out.lines().map((line) => {
      const { at, ...event } = JSON.parse(line) as Record<string, unknown>;
      assert.equal(at, AT.toISOString());
      return event;
    });
  }
}

describe('the JSON conversation', () => {
  it('says something to everybody', async () => {
    const talk = new Conversation();
    talk.client.open('bob', 'incoming');
    talk.client.open('carol', 'incoming');
    talk.send({ id: 1, command: 'SAY_ALL good night' });
    await talk.out.until(/"done"/u);
    assert.deepEqual(talk.client.calls, ['say good night bob', 'say good night carol']);
    talk.stop.abort();
    await talk.ended;
  });

  it('answers an object with its id, and with what the command yielded', async () => {
    const talk = new Conversation();
    talk.send({ id: 7, command: 'GET_CLIENT_LIST' });
    talk.send({ id: 'info', command: 'GET_CLIENT_INFO bob' });
    await talk.out.until(/"request":"info"/u);
    talk.send({ id: 9, command: 'SEND_FILE ~/a b.txt' });
    await talk.out.until(/"request":9/u);
    talk.client.done(1);
    talk.stdin.end();
    assert.equal(await talk.ended, 0);
    const events = talk.events();
    assert.deepEqual(events.filter(({ event }) => event === 'done'), [
      { event: 'done', request: 7 },
      { event: 'done', request: 'info' },
      { event: 'done', request: 9, transfer: 1 },
    ]);
    assert.deepEqual(events.filter(({ event }) => event === 'client-list' || event === 'client-info'), [
      { event: 'client-list', clients: ['alice', 'bob'], total: 2 },
      { event: 'client-info', user: 'bob', fingerprint: `SHA256:${'A'.repeat(43)}`, addresses: ['192.0.2.7:4000'] },
    ]);
    assert.deepEqual(events.at(-1), { event: 'disconnected', reason: 'You have left.', code: 'closed' });
    assert.equal(talk.err.text, '');
  });

  it('has SEND_FILE done when the offer is out, before the transfer ends', async () => {
    const talk = new Conversation();
    talk.client.open('bob', 'incoming');
    talk.send({ id: 1, command: 'SEND_FILE a' });
    await talk.out.until(/"event":"done"/u);
    assert.ok(!talk.out.text.includes('transfer-done'));
    talk.client.done(1);
    talk.stdin.end();
    await talk.ended;
    const done = talk.events().find(({ event }) => event === 'transfer-done');
    assert.deepEqual(done, { event: 'transfer-done', id: 1, peer: 'bob', direction: 'outgoing', name: 'a', kind: 'file', bytes: 100, resumed: 0, files: 1, same: 0, refused: 0, seconds: 2, blake3: BLAKE3 });
  });

  it('handles lines at once: a slow one holds up no other', async () => {
    const talk = new Conversation();
    let answer: () => void = () => assert.fail('not asked');
    talk.client.before.set('openSession', () => new Promise<void>((resolve) => (answer = resolve)));
    talk.send({ id: 1, command: 'GET_CLIENT_INFO bob' });
    talk.send({ id: 2, command: 'GET_CLIENT_LIST' });
    await talk.out.until(/"request":2/u);
    assert.ok(!talk.out.text.includes('"request":1'));
    answer();
    await talk.out.until(/"request":1/u);
    talk.stdin.end();
    assert.equal(await talk.ended, 0);
  });

  it('takes plain lines as a person types them, without done', async () => {
    const talk = new Conversation();
    talk.client.open('bob', 'incoming');
    talk.send('hello bob');
    talk.send('/list');
    await talk.out.until(/client-list/u);
    talk.stdin.end();
    await talk.ended;
    assert.deepEqual(talk.client.calls, ['say hello bob', 'listClients', 'close']);
    assert.ok(!talk.out.text.includes('"done"'));
  });

  it('says exactly the text given, to whom it is given', async () => {
    const talk = new Conversation();
    talk.send({ id: 1, say: ' CLOSE_SESSION\n{"x":1}', to: 'carol' });
    await talk.out.until(/"request":1/u);
    talk.stdin.end();
    await talk.ended;
    assert.equal(talk.client.calls[0], 'say  CLOSE_SESSION\n{"x":1} carol');
  });

  it('names a key that it does not know, as text and cut', () => {
    const said = (key: string): string => {
      try {
        parseJsonLine(JSON.stringify({ id: 1, say: 'hello', [key]: 'x' }));
      } catch (error) {
        return error instanceof BadLine ? error.message : '';
      }
      return '';
    };
    assert.match(said('too'), /may be left out\. It has no key "too"\.$/u);
    assert.match(said('a"\x1b[2J\n'), /It has no key "a'\\x1b\[2J\\n"\.$/u);
    assert.match(said('k'.repeat(1000)), /It has no key "k{40}…"\.$/u);
  });

  it('answers failures with error events, and goes on', async () => {
    const talk = new Conversation();
    talk.client.before.set('say', () => {
      throw new P2pError('no-session', 'You are not in a session.');
    });
    for (const line of ['hello', { id: 1, say: 'x' }, '{"id": 2, "command"', { id: 3 }, { id: 4, command: 'hello' }, { id: 5, command: 'ACCEPT_FILE x' }, { id: 6, say: 'a', command: 'b' }, { id: {}, say: 'a' }, 'x'.repeat(140_000)]) {
      talk.send(line);
    }
    talk.send({ id: 99, command: 'GET_CLIENT_LIST' });
    await talk.out.until(/"request":99/u);
    talk.stdin.end();
    assert.equal(await talk.ended, 0);
    const errors = talk.events().filter(({ event }) => event === 'error');
    assert.deepEqual(
      errors.map(({ code, request }) => [code, request]).sort((a, b) => String(a[1]).localeCompare(String(b[1]))),
      [
        ['no-session', 1],
        ['bad-argument', 3],
        ['unknown-command', 4],
        ['bad-argument', 5],
        ['bad-argument', 6],
        ['no-session', undefined],
        ['bad-argument', undefined],
        ['bad-argument', undefined],
        ['bad-argument', undefined],
      ].sort((a, b) => String(a[1]).localeCompare(String(b[1]))),
    );
  });

  it('tells all transfers, what can be continued, and the rate limit, null for none', async () => {
    const talk = new Conversation();
    talk.client.left = [{ peer: 'bob', kind: 'folder', name: 'old', bytes: 5, size: 9, lastMs: 1, removedMs: 2 }];
    talk.client.offer({ name: 'evil\x1b[2J', size: null });
    talk.send({ id: 1, command: 'LIST_FILES' });
    await talk.out.until(/"request":1/u);
    talk.send({ id: 2, command: 'LIMIT_RATE 10M' });
    talk.send({ id: 3, command: 'LIMIT_RATE off' });
    await talk.out.until(/"request":3/u);
    talk.stdin.end();
    await talk.ended;
    assert.doesNotMatch(talk.out.text, /\x1b/u);
    assert.deepEqual(talk.events().filter(({ event }) => event === 'files' || event === 'rate-limit'), [
      {
        event: 'files',
        transfers: [{ id: 1, peer: 'bob', direction: 'incoming', name: 'evil\x1b[2J', kind: 'file', size: null, files: 1, bytes: 0, state: 'offered', rate: 0 }],
        leftovers: [{ peer: 'bob', kind: 'folder', name: 'old', bytes: 5, size: 9, lastMs: 1, removedMs: 2 }],
      },
      { event: 'rate-limit', bytesPerSecond: 10_000_000 },
      { event: 'rate-limit', bytesPerSecond: null },
    ]);
  });

  it('tells who and what was waited for, and holds up nothing meanwhile', async () => {
    const talk = new Conversation();
    talk.send({ id: 1, command: 'WAIT_FOR offer bob' });
    talk.send({ id: 2, command: 'WAIT_FOR message 10s' });
    talk.send({ id: 3, command: 'LIST_FILES' });
    await talk.out.until(/"request":3/u);
    talk.client.emit({ event: 'message', peer: 'carol', direction: 'in', text: 'hello' });
    await talk.out.until(/"request":2/u);
    talk.client.offer();
    await talk.out.until(/"request":1/u);
    talk.send({ id: 4, command: 'WAIT_FOR message 10s' });
    await new Promise(setImmediate);
    talk.clock.advance(10_000);
    await talk.out.until(/"request":4/u);
    talk.stdin.end();
    assert.equal(await talk.ended, 0);
    assert.deepEqual(talk.events().filter(({ request }) => request === 1 || request === 2 || request === 4).map(({ event, code, peer, transfer }) => [event, code, peer, transfer]), [
      ['done', undefined, 'carol', undefined],
      ['done', undefined, 'bob', 1],
      ['error', 'timed-out', undefined, undefined],
    ]);
  });

  it('ends what waits without limit when the link to the server ends', async () => {
    const talk = new Conversation();
    talk.send({ id: 1, command: 'WAIT_FOR message' });
    talk.stdin.end();
    await new Promise(setImmediate);
    talk.client.emit({ event: 'disconnected', reason: 'Logged in somewhere else.', code: 'displaced' });
    assert.equal(await talk.ended, 4);
  });

  it('pauses and resumes', async () => {
    const talk = new Conversation();
    talk.send({ id: 1, command: 'PAUSE_FILE 4' });
    talk.send({ id: 2, command: 'RESUME_FILE' });
    await talk.out.until(/"request":2/u);
    talk.stdin.end();
    await talk.ended;
    assert.deepEqual(talk.client.calls.slice(0, 2), ['pauseFile 4', 'resumeFile']);
  });

  it('sends stdin only where commands come from --exec', async () => {
    const talk = new Conversation();
    talk.send({ id: 1, command: 'SEND_FILE - a.tar' });
    await talk.out.until(/"code":"bad-argument".*--exec.*"request":1/u);
    talk.stdin.end();
    await talk.ended;
    const script = new Conversation({ exec: ['GET_CLIENT_INFO bob', 'SEND_FILE - a.tar'] });
    await script.out.until(/"offer"/u);
    script.client.done(1);
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls, ['openSession bob', 'sendFile - a.tar', 'close']);
  });

  it('lets go on at the end of stdin what nobody could resume any more', async () => {
    const talk = new Conversation();
    const id = talk.client.offer({ decision: 'accepted', state: 'paused', waits: 'paused-by-you' });
    talk.stdin.end();
    await talk.client.called('resumeFile');
    talk.client.done(id);
    assert.equal(await talk.ended, 0);
    assert.match(talk.err.text, /"a" from bob was paused here/u);
  });

  it('waits at the end of stdin for commands and transfers under way', async () => {
    const talk = new Conversation();
    talk.client.open('bob', 'incoming');
    talk.stdin.end('{"id":1,"command":"SEND_FILE a"}');
    await talk.out.until(/"request":1/u);
    let ended = false;
    void talk.ended.then(() => (ended = true));
    await new Promise(setImmediate);
    assert.equal(ended, false);
    talk.client.failTransfer(1);
    assert.equal(await talk.ended, 0);
  });

  it('stays with --stay until a signal comes', async () => {
    const talk = new Conversation({ stay: true });
    talk.stdin.end();
    talk.client.emit({ event: 'message', peer: 'bob', direction: 'in', text: 'x' });
    await talk.out.until(/"message"/u);
    talk.stop.abort();
    assert.equal(await talk.ended, 0);
    assert.equal(talk.client.calls.at(-1), 'close');
  });

  it('ends with DISCONNECT_CLIENT', async () => {
    const talk = new Conversation();
    talk.send({ id: 1, command: 'DISCONNECT_CLIENT' });
    assert.equal(await talk.ended, 0);
    assert.deepEqual(talk.client.calls, ['disconnect']);
  });

  it('runs --exec lines as a script: in order, to their end, until one fails', async () => {
    const talk = new Conversation({ exec: ['GET_CLIENT_INFO bob', 'SEND_FILE a', 'CLOSE_SESSION now', 'never said'] });
    await talk.out.until(/"offer"/u);
    talk.client.done(1);
    assert.equal(await talk.ended, 1);
    assert.deepEqual(talk.client.calls, ['openSession bob', 'sendFile a', 'close']);
    assert.match(talk.out.text, /"code":"bad-argument"/u);
  });

  it('tells the engine to wait while nobody reads (HOSTILE 24)', async () => {
    const talk = new Conversation({ highWaterMark: 64 });
    talk.out.hold();
    const full = talk.client.emit({ event: 'message', peer: 'bob', direction: 'in', text: 'x'.repeat(100) });
    assert.ok(full instanceof Promise);
    let free = false;
    void full.then(() => (free = true));
    await new Promise(setImmediate);
    assert.equal(free, false);
    talk.out.release();
    await full;
    talk.stdin.end();
    await talk.ended;
  });
});

describe('a JSON line', () => {
  it('holds no raw control, separator or bidi character, and loses nothing', () => {
    const unit = fc.oneof(fc.constantFrom('\x9b', '\x7f', '\u2028', '\u202e', '\u200b', '\ud83d', '😀'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }));
    fc.assert(
      fc.property(fc.string({ unit }), (text) => {
        const line = jsonLine({ event: 'message', text } as { event: string }, AT);
        assert.match(line, /^\{"event":"message","at":"1970-01-01T00:00:00\.000Z",/u);
        assert.doesNotMatch(line.slice(0, -1), /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e]/u);
        assert.equal((JSON.parse(line) as { text: string }).text, text);
      }),
    );
  });

  it('is a request, nothing, or a BadLine, whatever it holds', () => {
    const line = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.record({ id: fc.anything(), command: fc.anything(), say: fc.anything() }, { requiredKeys: [] }).map((value) => JSON.stringify(value, (_key, inner: unknown) => (typeof inner === 'bigint' ? 0 : inner))));
    fc.assert(
      fc.property(line, (text) => {
        try {
          parseJsonLine(text);
        } catch (error) {
          assert.ok(error instanceof BadLine);
        }
      }),
    );
  });
});
