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
  readonly clock = new ManualClock();
  readonly stdin = new PassThrough();
  readonly out = new Collector();
  readonly err = new Collector();
  readonly stop = new AbortController();
  readonly ended: Promise<ExitCode>;

  constructor(options: { exec?: string[]; stay?: boolean; stdinIsTTY?: boolean; untilReceived?: boolean } = {}) {
    const face = new ScriptFace({
      stdin: this.stdin,
      stdout: new Output(this.out),
      stderr: new Output(this.err),
      palette: createPalette(0),
      clock: this.clock,
      homeDirectory: '/home/a',
      exec: options.exec ?? [],
      stay: options.stay ?? false,
      accept: 'all',
      stdinIsTTY: options.stdinIsTTY ?? false,
      untilReceived: options.untilReceived ?? false,
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

  it('waits where it is told to, and counts what came before', async () => {
    const script = new Script({ exec: ['GET_CLIENT_INFO bob', 'is it done?', 'WAIT_FOR message bob', 'WAIT_FOR online bob', 'CLOSE_SESSION'] });
    script.client.people = [{ user: 'bob', state: 'online' }];
    // The answer is there before the question is confirmed, and so before the line that waits.
    script.client.before.set('say', () => void script.client.emit({ event: 'message', peer: 'bob', direction: 'in', text: 'yes' }));
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls, ['openSession bob', 'say is it done?', 'watchUser bob', 'closeSession', 'close']);
    assert.match(script.out.text, /-- A message from bob has come\.\n-- bob is online\./u);
  });

  it('fails when what it waits for does not come in time', async () => {
    const script = new Script({ exec: ['WAIT_FOR session bob 10m', 'never said'] });
    await new Promise(setImmediate);
    script.clock.advance(10 * 60_000);
    assert.equal(await script.ended, 1);
    assert.match(script.err.text, /no session with bob was opened within 10 min\..*\[timed-out\]/u);
    assert.deepEqual(script.client.calls, ['close']);
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

  it('says something to everybody, and fails where there is nobody', async () => {
    const script = new Script();
    script.client.open('bob', 'incoming');
    script.client.open('carol', 'incoming');
    script.stdin.end('SAY_ALL good night\n');
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls, ['say good night bob', 'say good night carol', 'close']);
    const alone = Script.run('SAY_ALL anybody?\n');
    assert.equal(await alone.ended, 1);
    assert.match(alone.err.lines().join('\n'), /No session is open.*\[no-session\]/u);
  });

  it('ends fine with DISCONNECT_CLIENT, whatever follows', async () => {
    const script = Script.run('DISCONNECT_CLIENT\nnever said\n');
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls, ['disconnect']);
  });

  it('waits at its end for files that are coming in', async () => {
    const script = new Script();
    script.client.open('bob', 'incoming');
    const taken = script.client.offer({ decision: 'accepted' });
    script.client.offer({ name: 'nobody answers' });
    let ended = false;
    void script.ended.then(() => (ended = true));
    script.stdin.end('GET_CLIENT_LIST\n');
    await script.out.until(/CLIENT_LIST/u);
    await new Promise(setImmediate);
    assert.equal(ended, false);
    script.client.done(taken);
    assert.equal(await script.ended, 0);
  });

  for (const [state, waits, said] of [
    ['paused', 'own-disk-full', '-- Waiting for "a" from bob, until there is room on your disk.'],
    ['paused', 'paused-by-peer', '-- Waiting for "a" from bob, which bob has paused.'],
    ['reconnecting', undefined, undefined],
    ['stalled', 'network', undefined],
  ] as const) {
    it(`waits at its end for a transfer that is ${state} ${waits ?? ''}`.trim(), async () => {
      const script = new Script();
      const id = script.client.offer({ decision: 'accepted', state, ...(waits === undefined ? {} : { waits }) });
      let ended = false;
      void script.ended.then(() => (ended = true));
      script.stdin.end('GET_CLIENT_LIST\n');
      await script.out.until(said === undefined ? /CLIENT_LIST/u : /Waiting/u);
      await new Promise(setImmediate);
      assert.equal(ended, false);
      assert.equal(script.out.lines().find((line) => line.includes('Waiting')), said);
      script.client.done(id);
      assert.equal(await script.ended, 0);
    });
  }

  it('lets go on what it has paused itself, as nobody is left to resume it', async () => {
    const script = new Script();
    const id = script.client.offer({ decision: 'accepted', state: 'paused', waits: 'paused-by-you' });
    const resumed = script.client.called('resumeFile');
    script.stdin.end();
    await resumed;
    assert.match(script.out.text, /^-- "a" from bob was paused here, and nobody is left to resume it: it goes on\.$/mu);
    script.client.done(id);
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls, [`resumeFile ${id}`, 'close']);
  });

  it('is not blamed for a file from others that failed before its end', async () => {
    const script = new Script();
    script.client.failTransfer(script.client.offer({ decision: 'accepted' }), 'cancelled', 'The sender cancelled it.');
    script.stdin.end('GET_CLIENT_LIST\n');
    assert.equal(await script.ended, 0);
  });

  const lost = { event: 'session-closed', peer: 'bob', reason: 'It did not come back. SEND_FILE continues.', code: 'link-lost', undelivered: 0 } as const;
  it('fails when the session that it opened is lost for good, and says how to continue', async () => {
    const script = new Script();
    script.stdin.write('GET_CLIENT_INFO bob\n');
    await script.out.until(/CLIENT_INFO/u);
    script.client.emit({ event: 'session-lost', peer: 'bob', reason: 'No answer.' });
    script.client.emit(lost);
    assert.equal(await script.ended, 1);
    assert.deepEqual(script.err.lines(), ['p2p-client: It did not come back. SEND_FILE continues. [link-lost]']);
  });

  it('is not concerned by the loss of a session that others opened', async () => {
    const script = new Script();
    script.client.open('bob', 'incoming');
    script.client.emit(lost);
    for (let turn = 0; turn < 3; turn += 1) await new Promise(setImmediate);
    script.stdin.end('GET_CLIENT_LIST\n');
    assert.equal(await script.ended, 0);
    assert.match(script.out.text, /CLIENT_LIST/u);
  });

  it('sends stdin under a name, where its commands come from --exec', async () => {
    const script = new Script({ exec: ['GET_CLIENT_INFO bob', 'SEND_FILE - dir.tar'] });
    await script.out.until(/Offered "dir\.tar" \(size not known\)/u);
    script.client.done(1);
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls, ['openSession bob', 'sendFile - dir.tar', 'close']);
  });

  it('refuses to send the stdin that it reads its commands from', async () => {
    const script = Script.run('SEND_FILE - dir.tar\n');
    assert.equal(await script.ended, 1);
    assert.deepEqual(script.client.calls, ['close']);
    assert.match(script.err.text, /here stdin is for commands.*--exec 'SEND_FILE - name' \[bad-argument\]/u);
  });

  it('lists transfers and limits the rate', async () => {
    const script = Script.run('LIST_FILES\nLIMIT_RATE 2M\nPAUSE_FILE\n');
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.out.lines().slice(0, 2), ['-- No offers and no transfers.', '-- The rate limit is 2.00 MB/s for all sending, and as much for all receiving. LIMIT_RATE off lifts it.']);
    assert.deepEqual(script.client.calls, ['leftovers', 'limitRate 2000000', 'pauseFile', 'close']);
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

describe('a script that receives one file for stdout', () => {
  it('ends with that file, though its input ended long before', async () => {
    const script = new Script({ untilReceived: true });
    script.stdin.end();
    script.client.offer({ name: 'unwanted', decision: 'refused' });
    const id = script.client.offer({ decision: 'accepted' });
    let ended = false;
    void script.ended.then(() => (ended = true));
    script.client.emit({ event: 'transfer-failed', id: 1, peer: 'bob', direction: 'incoming', name: 'unwanted', code: 'rejected-by-policy', message: 'Not wanted.' });
    await new Promise(setImmediate);
    assert.equal(ended, false);
    script.client.done(id);
    assert.equal(await script.ended, 0);
  });

  it('goes on with the first of two files where the second is refused', async () => {
    const script = new Script({ untilReceived: true });
    script.stdin.end();
    const [first, second] = [script.client.offer({ decision: 'accepted' }), script.client.offer({ decision: 'accepted' })];
    script.client.failTransfer(second, 'rejected-by-policy', 'The receiver takes one file.');
    await new Promise(setImmediate);
    script.client.done(first);
    assert.equal(await script.ended, 0);
  });

  it('fails when the file does', async () => {
    const script = new Script({ untilReceived: true });
    script.stdin.end();
    script.client.failTransfer(script.client.offer({ decision: 'accepted' }), 'hash-mismatch', 'The file is damaged.');
    assert.equal(await script.ended, 1);
    assert.match(script.out.text, /The file is damaged\./u);
  });

  it('fails when it ends without one', async () => {
    const script = new Script({ untilReceived: true, exec: ['DISCONNECT_CLIENT'] });
    assert.equal(await script.ended, 1);
    const stopped = new Script({ untilReceived: true, stay: true });
    stopped.stop.abort();
    assert.equal(await stopped.ended, 1);
  });

  it('leaves a keyboard alone', async () => {
    const script = new Script({ untilReceived: true, stdinIsTTY: true });
    script.stdin.write('never said\n');
    script.client.done(script.client.offer({ decision: 'accepted' }));
    assert.equal(await script.ended, 0);
    assert.deepEqual(script.client.calls, ['close']);
  });
});
