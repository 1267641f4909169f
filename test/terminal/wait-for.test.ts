/** WAIT_FOR: how it is written, what counts and since when, and that no order of command and answer loses anything. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientEvent, PersonPresence } from '../../src/client/api.js';
import { LinkLost, P2pError } from '../../src/protocol/errors.js';
import { terminalLimits } from '../../src/protocol/limits.js';
import { parseCommand } from '../../src/terminal/commands.js';
import { parseDuration } from '../../src/terminal/quantities.js';
import { missedText, parseWait, waitedLines, type Wait } from '../../src/terminal/wait-for.js';
import { Waits, type Awaited } from '../../src/terminal/waits.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { FakeClient } from './fake-client.js';

const MINUTE = 60_000;

describe('WAIT_FOR is written', () => {
  const good: [written: string, wait: Wait][] = [
    ['session bob 10m', { event: 'session', user: 'bob', timeoutMs: 10 * MINUTE }],
    ['ONLINE  bob', { event: 'online', user: 'bob', timeoutMs: undefined }],
    ['file', { event: 'file', user: undefined, timeoutMs: undefined }],
    ['message 30s', { event: 'message', user: undefined, timeoutMs: 30_000 }],
    ['message 30', { event: 'message', user: undefined, timeoutMs: 30_000 }],
    ['message "bob" 1h30m', { event: 'message', user: 'bob', timeoutMs: 90 * MINUTE }],
    // A name that could be a time is one where somebody must be named, or where a time follows.
    ['online 10m', { event: 'online', user: '10m', timeoutMs: undefined }],
    ['session 10m 5m', { event: 'session', user: '10m', timeoutMs: 5 * MINUTE }],
  ];
  for (const [written, wait] of good) it(written, () => assert.deepEqual(parseWait(written), wait));

  it('in brackets, too', () => {
    assert.deepEqual(parseCommand('wait_for<offer bob>'), { command: 'WAIT_FOR', wait: { event: 'offer', user: 'bob', timeoutMs: undefined } });
  });

  const bad: [written: string, says: RegExp][] = [
    ['', /one of online, offline.*For example/u],
    ['mesage bob', /Did you mean message\?/u],
    ['online', /Whom\?/u],
    ['message b\u00f6b', /not a user name/u],
    ['message bob soon', /"soon" is no time: .*30s/u],
    ['message 0s', /no time/u],
    ['message bob 25d', /at most 24d/u],
    ['message bob 5m now', /too much/u],
  ];
  for (const [written, says] of bad) {
    it(`not ${JSON.stringify(written)}`, () => assert.throws(() => parseWait(written), (error) => error instanceof P2pError && error.code === 'bad-argument' && says.test(error.message)));
  }

  it('with times of one unit or several', () => {
    for (const [written, ms] of [['1500ms', 1500], ['90', 90_000], ['0.5h', 30 * MINUTE], ['1D', 1440 * MINUTE], ['1h30m15s', 5_415_000]] as const) assert.equal(parseDuration(written), ms, written);
    for (const written of ['', 's', '1x', '1 m', '-1s', '0', '1e3', '9'.repeat(30), '1h-30m']) assert.equal(parseDuration(written), undefined, written);
  });
});

describe('the words of a wait', () => {
  const words: [written: string, came: string, missed: string][] = [
    ['online zed 1s', 'zed is online.', 'zed did not come online within 1 s.'],
    ['offline zed 1500ms', 'zed is offline.', 'zed did not go offline within 1.5 s.'],
    ['session 10m', 'A session with somebody is open.', 'no session with anybody was opened within 10 min.'],
    ['closed bob 2h', 'No session with bob is open.', 'the session with bob did not end within 2 h.'],
    ['closed 2h30m', 'No session is open.', 'not all sessions ended within 150 min.'],
    ['offer bob 90s', 'An offer from bob waits for an answer.', 'no offer came from bob within 90 s.'],
    ['message 61500ms', 'A message from somebody has come.', 'no message came from anybody within 61.5 s.'],
    ['file bob 125s', 'A whole file from bob has come.', 'no whole file came from bob within 2:05.'],
  ];
  for (const [written, came, missed] of words) {
    it(written, () => {
      const wait = parseWait(written);
      assert.deepEqual(waitedLines({ wait, peer: undefined }).map(({ prefix, text }) => prefix + text), [`-- ${came}`]);
      assert.equal(missedText(wait), missed);
    });
  }

  it('name who it was, where anybody would do', () => {
    assert.equal(waitedLines({ wait: parseWait('message'), peer: 'carol' })[0]?.text, 'A message from carol has come.');
    assert.equal(waitedLines({ wait: parseWait('closed'), peer: 'carol' })[0]?.text, 'No session is open.');
  });
});

class Room {
  readonly clock = new ManualClock();
  readonly client = new FakeClient();
  readonly waits = new Waits(this.clock);

  constructor() {
    this.client.onEvent((event) => this.waits.see(event));
  }

  wait(written: string): Promise<Awaited> {
    return this.waits.until(this.client, parseWait(written));
  }

  heard(peer: string): void {
    this.client.emit({ event: 'message', peer, direction: 'in', text: 'hello' });
  }

  received(peer: string, direction: 'incoming' | 'outgoing' = 'incoming'): void {
    this.client.emit({ event: 'transfer-done', id: 7, peer, direction, name: 'a', kind: 'file', bytes: 1, resumed: 0, files: 1, same: 0, refused: 0, seconds: 1 });
  }

  /** What the server says about everybody from now on. */
  presence(state: PersonPresence['state'] | Error): void {
    this.client.watchUser = (user) => (state instanceof Error ? Promise.reject(state) : Promise.resolve({ user, state }));
  }
}

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => (settled = true);
  void promise.then(note, note);
  await new Promise(setImmediate);
  return settled;
}

describe('what happens counts once', () => {
  it('also when it came before the command, so that an answer cannot be too early', async () => {
    const room = new Room();
    room.heard('bob');
    assert.equal((await room.wait('message bob 1s')).peer, 'bob');
    assert.equal(await isSettled(room.wait('message bob')), false);
  });

  it('for the one who waits longest', async () => {
    const room = new Room();
    const [first, second] = [room.wait('message'), room.wait('message bob')];
    room.heard('bob');
    assert.equal((await first).peer, 'bob');
    assert.equal(await isSettled(second), false);
    room.heard('Bob');
    assert.equal((await second).peer, 'Bob');
    assert.equal(await isSettled(room.wait('message')), false);
  });

  it('of the person who is waited for only', async () => {
    const room = new Room();
    room.heard('carol');
    const waiting = room.wait('message bob');
    room.heard('dave');
    assert.equal(await isSettled(waiting), false);
    assert.deepEqual([(await room.wait('message')).peer, (await room.wait('message')).peer], ['carol', 'dave']);
  });

  it('a file when it is whole, with its number; not one that was sent, not one that failed', async () => {
    const room = new Room();
    const waiting = room.wait('file bob');
    room.received('bob', 'outgoing');
    room.client.emit({ event: 'transfer-failed', id: 3, peer: 'bob', direction: 'incoming', name: 'a', code: 'cancelled', message: 'No.' });
    assert.equal(await isSettled(waiting), false);
    room.received('bob');
    assert.deepEqual(await waiting, { wait: parseWait('file bob'), peer: 'bob', transfer: 7 });
  });

  it('as far as it is remembered: the oldest is forgotten', async () => {
    const room = new Room();
    room.heard('first');
    for (let number = 0; number < terminalLimits.uncountedEvents; number += 1) room.heard('bob');
    assert.equal(await isSettled(room.wait('message first')), false);
    assert.equal(await isSettled(room.wait('message bob')), true);
  });
});

describe('what is a state may be so already', () => {
  it('a session: open now, or later', async () => {
    const room = new Room();
    const waiting = room.wait('session bob');
    room.client.open('carol', 'incoming');
    assert.equal(await isSettled(waiting), false);
    room.client.open('bob', 'incoming');
    assert.equal((await waiting).peer, 'bob');
    assert.equal((await room.wait('session BOB')).peer, 'bob');
    assert.equal((await room.wait('session')).peer, 'carol');
  });

  it('the end of a session, or of all', async () => {
    const room = new Room();
    assert.equal((await room.wait('closed')).peer, undefined);
    room.client.open('carol', 'incoming');
    room.client.open('bob', 'outgoing');
    assert.equal((await room.wait('closed dave')).peer, 'dave');
    const [bob, all] = [room.wait('closed bob'), room.wait('closed')];
    await room.client.closeSession();
    assert.equal((await bob).peer, 'bob');
    assert.equal(await isSettled(all), false);
    room.client.sessions = [];
    room.client.emit({ event: 'session-closed', peer: 'carol', reason: 'Gone.', code: 'closed-by-peer', undelivered: 0 });
    assert.equal(await isSettled(all), true);
  });

  it('an offer that waits for an answer', async () => {
    const room = new Room();
    const waiting = room.wait('offer bob');
    room.client.offer({ decision: 'refused' });
    room.client.offer({ decision: 'accepted', state: 'running' });
    assert.equal(await isSettled(waiting), false);
    const id = room.client.offer();
    assert.equal((await waiting).transfer, id);
    assert.equal((await room.wait('offer')).transfer, id);
  });

  it('online and offline, as the server says, now and later', async () => {
    const room = new Room();
    room.presence('away');
    assert.equal((await room.wait('online bob')).peer, 'bob');
    const waiting = room.wait('offline bob');
    assert.equal(await isSettled(waiting), false);
    room.client.emit({ event: 'presence', user: 'carol', state: 'offline' });
    room.client.emit({ event: 'presence', user: 'bob', state: 'online' });
    assert.equal(await isSettled(waiting), false);
    room.client.emit({ event: 'presence', user: 'bob', state: 'offline' });
    assert.equal((await waiting).peer, 'bob');
  });

  it('asks again when the link to the server broke, and when it is back', async () => {
    const room = new Room();
    room.presence(new LinkLost('link-lost', 'The server is away.'));
    const [one, other] = [room.wait('online bob'), room.wait('online bob')];
    assert.equal(await isSettled(one), false);
    room.presence('online');
    room.client.emit({ event: 'server-back' });
    assert.equal(await isSettled(one), true);
    assert.equal(await isSettled(other), true);
    room.presence(new LinkLost('timed-out', 'The server did not answer in time.'));
    const third = room.wait('online bob');
    await isSettled(third);
    room.presence('online');
    room.clock.advance(terminalLimits.waitLookMs);
    assert.equal(await isSettled(third), true);
  });

  it('does not rely on being told who comes and goes, and stops asking when it knows', async () => {
    const room = new Room();
    room.presence('offline');
    const waiting = room.wait('online bob');
    assert.equal(await isSettled(waiting), false);
    room.presence('online');
    room.clock.advance(terminalLimits.waitLookMs);
    assert.equal((await waiting).peer, 'bob');
    assert.equal(room.clock.pending, 0);
  });

  it('fails where the server cannot tell', async () => {
    const room = new Room();
    room.presence(new P2pError('unavailable', 'This server is too old.'));
    await assert.rejects(room.wait('online bob'), { code: 'unavailable' });
  });
});

describe('the end of waiting', () => {
  it('comes with the time, and says what did not come', async () => {
    const room = new Room();
    const waiting = room.wait('message bob 30s');
    room.clock.advance(29_999);
    assert.equal(await isSettled(waiting), false);
    room.clock.advance(1);
    await assert.rejects(waiting, (error) => error instanceof P2pError && error.code === 'timed-out' && /^WAIT_FOR: no message came from bob within 30 s\. Give/u.test(error.message));
    assert.equal(room.clock.pending, 0);
    room.heard('bob');
    assert.equal((await room.wait('message bob')).peer, 'bob');
  });

  it('leaves no timer behind when it has come', async () => {
    const room = new Room();
    const waiting = room.wait('message bob 30s');
    room.heard('bob');
    await waiting;
    assert.equal(room.clock.pending, 0);
  });

  it('comes with the link to the server, for those who wait and those who begin to', async () => {
    const room = new Room();
    const waiting = room.wait('message bob');
    const end: ClientEvent = { event: 'disconnected', reason: 'You have left.', code: 'closed' };
    room.client.emit(end);
    await assert.rejects(waiting, { code: 'closed' });
    await assert.rejects(room.wait('session'), { code: 'closed' });
  });
});
