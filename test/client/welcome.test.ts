/** Who may still come in when a link is there at last: the person may have decided otherwise while it came about. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ClientEvent } from '../../src/client/api.js';
import { Sessions } from '../../src/client/sessions.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { FINGERPRINT, introducedBy, introductionId, linkPair, recordedTransfers } from '../helpers/session-pair.js';

const OTHER_KEY = `SHA256:${'B'.repeat(43)}`;

function setUp() {
  const clock = new ManualClock();
  const blocked = new Set<string>();
  const pins = new Map([['bob', FINGERPRINT]]);
  const events: ClientEvent[] = [];
  const link = async (n: number) => {
    const { asker, answerer } = await linkPair(clock, introductionId(n), () => ({}), () => ({}));
    return { ours: answerer, theirs: asker };
  };
  const next = { introduced: introducedBy({} as never, '', 'bob', 'outgoing') };
  const sessions = new Sessions({
    clock,
    policy: 'ask',
    isBlocked: (peer) => blocked.has(peer),
    isKnownKey: (peer, fingerprint) => pins.get(peer) === fingerprint,
    isVerified: () => false,
    introductions: () => ({ ask: () => Promise.resolve(next.introduced), awaits: () => false }),
    makeTransfers: () => recordedTransfers([]),
    emit: (event) => void events.push(event),
  });
  return { clock, blocked, pins, events, sessions, link, next };
}

describe('a link that is there at last', () => {
  it('becomes no session with somebody who was blocked while the last one ended', async () => {
    const { blocked, clock, events, link, sessions } = setUp();
    const [first, second] = [await link(1), await link(2)];
    await sessions.admit(introducedBy(first.ours, introductionId(1), 'bob', 'incoming'));
    // Whoever does not answer the end delays it.
    const closing = sessions.find('bob').close();
    const admitted = sessions.admit(introducedBy(second.ours, introductionId(2), 'bob', 'incoming'));
    await turn();
    blocked.add('bob');
    const dropped = sessions.drop('bob');
    clock.advance(60_000);
    await Promise.all([closing, admitted, dropped]);
    assert.deepEqual(sessions.all, []);
    assert.deepEqual(events.filter(({ event }) => event === 'session-opened').length, 1);
  });

  it('becomes no session with somebody of whom another key was accepted while the person was asked', async () => {
    const { link, pins, sessions } = setUp();
    const { ours } = await link(1);
    const admitted = sessions.admit({ ...introducedBy(ours, introductionId(1), 'bob', 'incoming'), provisional: true });
    pins.set('bob', OTHER_KEY);
    sessions.answer(true, 'bob');
    await admitted;
    assert.deepEqual(sessions.all, []);
  });

  it('under a key in place of which another was accepted is refused, and the person who asked is told', async () => {
    const { link, next, pins, sessions } = setUp();
    const { theirs } = await link(1);
    next.introduced = introducedBy(theirs, introductionId(1), 'bob', 'outgoing');
    pins.set('bob', OTHER_KEY);
    await assert.rejects(sessions.open('bob'), { code: 'peer-key-changed' });
    assert.deepEqual(sessions.all, []);
  });
});
