/**
 * Scripts: one command after the other, what is printed, and how they end.
 */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { P2pError } from '../../src/protocol/errors.js';
import { createPalette } from '../../src/terminal/colours.js';
import type { ExitCode } from '../../src/terminal/exit-codes.js';
import { Output } from '../../src/terminal/output.js';
import { ScriptFace } from '../../src/terminal/script-face.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { FakeClient, FINGERPRINT } from './fake-client.js';
import { Collector } from './collector.js';

class Script {
  readonly client = new FakeClient();
  readonly stdin = new PassThrough();
  readonly out = new Collector();
  readonly err = new Collector();
  readonly stop = new AbortController();
  readonly ended: Promise<ExitCode>;

  constructor(options: { exec?: string[]; stay?: boolean } = {}) {
    const face = new ScriptFace({
      stdin: this.stdin,
      stdout: new Output(this.out),
      stderr: new Output(this.err),
      palette: createPalette(0),
      clock: new ManualClock(),
      homeDirectory: '/home/a',
      exec: options.exec ?? [],
      stay: options.stay ?? false,
      accept: 'all',
    });
    this.client.user = 'alice';
    this.client.onEvent((event) => face.show(event));
    this.ended = face.run(this.client, this.stop.signal);
  }

  static run(text: string): Script {
    const script = new Script();
    script.stdin.end(text);
    return script;
  }
}

describe('a script', () => {
  it('runs its lines in order, leaving out blank ones and comments, then closes and leaves', async () => {
    const script = Script.run('#!/usr/bin/env p2p\n# a comment\n\nGET_CLIENT_LIST\r\nGET_CLIENT_INFO bob\nhello\nCLOSE_SESSION');
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls, ['listClients', 'openSession bob', 'say hello', 'closeSession', 'close']);
    assert.deepEqual(script.out.lines(), [
      'CLIENT_LIST<alice, bob>',
      '-- The session with bob is open (direct, 192.0.2.7:4000).',
      'CLIENT_INFO<bob, 192.0.2.7:4000>',
      'alice> hello',
      '-- The session with bob is closed.',
      '-- Disconnected. Goodbye.',
    ]);
    assert.equal(script.err.text, '');
  });

  it('finishes each command before the next: a file is transferred before the next line', async () => {
    const script = new Script({ exec: ['GET_CLIENT_INFO bob', 'SEND_FILE ~/a b.txt', 'after'] });
    await script.out.until(/Offered/u);
    assert.deepEqual(script.client.calls, ['openSession bob', 'sendFile /home/a/a b.txt']);
    script.client.done(1);
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls.slice(2), ['say after', 'close']);
  });

  it('ends at the first command that fails, with 1 and the error on stderr', async () => {
    const script = Script.run('SWITCH_SESSION\nhello\n');
    assert.equal(await script.ended, 1);
    assert.deepEqual(script.client.calls, ['close']);
    assert.deepEqual(script.err.lines(), ['p2p-client: SWITCH_SESSION: Whom? For example: SWITCH_SESSION bob. GET_CLIENT_LIST shows who is online. [bad-argument]']);
  });

  it('fails with a transfer that fails', async () => {
    const script = new Script({ exec: ['GET_CLIENT_INFO bob', 'SEND_FILE a', 'never said'] });
    await script.out.until(/Offered/u);
    script.client.failTransfer(1);
    assert.equal(await script.ended, 1);
    assert.deepEqual(script.err.lines(), ['p2p-client: The other side does not want it. [rejected]']);
    assert.ok(!script.client.calls.includes('say never said'));
  });

  it('is refused to leave while a session is open', async () => {
    const script = Script.run('GET_CLIENT_INFO bob\nDISCONNECT_CLIENT\n');
    assert.equal(await script.ended, 1);
    assert.match(script.err.text, /\[session-open\]/u);
  });

  it('ends fine with DISCONNECT_CLIENT, whatever follows', async () => {
    const script = Script.run('DISCONNECT_CLIENT\nnever said\n');
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls, ['disconnect']);
  });

  it('waits at its end for files that are coming in', async () => {
    const script = new Script();
    script.client.open('bob', 'incoming');
    script.client.transfers.push({ id: 7, peer: 'bob', direction: 'incoming', name: 'a', size: 9, bytes: 1, state: 'running' });
    script.client.transfers.push({ id: 8, peer: 'bob', direction: 'incoming', name: 'nobody answers', size: 9, bytes: 0, state: 'offered' });
    let ended = false;
    void script.ended.then(() => (ended = true));
    script.stdin.end('GET_CLIENT_LIST\n');
    await script.out.until(/CLIENT_LIST/u);
    await new Promise(setImmediate);
    assert.equal(ended, false);
    script.client.done(7);
    assert.equal(await script.ended, 0);
  });

  it('stays with --stay until a signal comes', async () => {
    const script = new Script({ stay: true });
    script.stdin.end('GET_CLIENT_LIST\n');
    await script.out.until(/CLIENT_LIST/u);
    script.client.emit({ event: 'message', peer: 'bob', direction: 'in', text: 'still there?' });
    await script.out.until(/^bob> still there\?$/mu);
    script.stop.abort();
    assert.equal(await script.ended, 0);
    assert.equal(script.client.calls.at(-1), 'close');
  });

  it('stopped by a signal before its end has failed', async () => {
    const script = new Script();
    script.stdin.write('GET_CLIENT_LIST\n');
    await script.out.until(/CLIENT_LIST/u);
    script.stop.abort();
    assert.equal(await script.ended, 1);
    assert.equal(script.client.calls.at(-1), 'close');
  });

  it('ends with the code of a link that was closed from outside', async () => {
    const script = new Script();
    script.client.emit({ event: 'disconnected', reason: 'Elsewhere.', code: 'displaced' });
    assert.equal(await script.ended, 4);
  });

  it('ends when nobody reads its output', async () => {
    const script = new Script({ stay: true });
    script.stdin.end();
    script.out.destroy(new Error('EPIPE'));
    await script.ended;
    assert.equal(script.client.calls.at(-1), 'close');
  });

  it('refuses a line without end', async () => {
    const script = Script.run('x'.repeat(200_000));
    assert.equal(await script.ended, 1);
    assert.match(script.err.text, /too long/u);
  });

  it('shows hostile text as text (HOSTILE 20, 23)', async () => {
    const script = new Script();
    script.client.emit({ event: 'message', peer: 'bob', direction: 'in', text: '\x1b]52;c;aGk=\x07\n\u202eb' });
    script.client.emit({ event: 'session-request', peer: 'b\x1b[2J', fingerprint: FINGERPRINT });
    script.client.before.set('say', () => {
      throw new P2pError('no-session', 'remote says \x1b[31m\n-- fine');
    });
    script.stdin.end('hi\n');
    await script.ended;
    assert.deepEqual(script.out.lines().slice(0, 2), ['bob> \\x1b]52;c;aGk=\\x07', 'bob> \\u202eb']);
    assert.doesNotMatch(script.out.text + script.err.text, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/u);
    assert.equal(script.err.lines().length, 1);
  });
});
