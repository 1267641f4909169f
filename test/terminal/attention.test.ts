/** What counts as unread, what rings, and what is said of messages that did not arrive at once. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ClientEvent } from '../../src/client/api.js';
import { attentionLimits } from '../../src/protocol/limits.js';
import { Attention } from '../../src/terminal/attention.js';
import { Delivery } from '../../src/terminal/delivery.js';

const { alertEveryMs, idleMs, usualDeliveryMs } = attentionLimits;
let now = 0;
const clock = { now: () => now };
const message = (peer: string, text = 'hi'): ClientEvent => ({ event: 'message', peer, direction: 'in', text });
const context = { user: 'alice', current: 'bob', saidAway: false };

describe('attention', () => {
  let attention: Attention;
  beforeEach(() => {
    now = 0;
    attention = new Attention(clock);
  });
  const see = (event: ClientEvent, more: Partial<typeof context> = {}) => attention.see(event, { ...context, ...more })?.text;

  it('counts messages of others than the current peer, until they are read', () => {
    see(message('bob'));
    see(message('carol'));
    see(message('carol'));
    see({ event: 'message', peer: 'carol', direction: 'out', text: 'x' });
    assert.deepEqual([attention.unread('bob'), attention.unread('carol')], [0, 2]);
    attention.read('carol');
    assert.equal(attention.unread('carol'), 0);
  });

  it('forgets a session that is closed', () => {
    see(message('carol'));
    see({ event: 'session-closed', peer: 'carol', reason: '', code: 'closed-by-peer', undelivered: 0 });
    assert.equal(attention.unread('carol'), 0);
  });

  it('does not ring for what appears before somebody’s eyes', () => {
    attention.focus(true);
    assert.equal(see(message('bob', 'alice?')), undefined);
    assert.equal(see(message('carol')), undefined);
  });

  it('rings for the own name in another session, and in any while nobody looks', () => {
    attention.focus(true);
    assert.equal(see(message('carol', 'alice?')), 'alice?');
    now += alertEveryMs;
    attention.focus(false);
    assert.equal(see(message('bob', 'alice!')), 'alice!');
  });

  it('rings for the first message of each while nobody looks, and again after somebody has looked', () => {
    attention.focus(false);
    assert.equal(see(message('bob', 'one')), 'one');
    now += alertEveryMs;
    assert.equal(see(message('bob', 'two')), undefined);
    assert.equal(see(message('carol', 'three')), 'three');
    attention.focus(true);
    attention.focus(false);
    now += alertEveryMs;
    assert.equal(see(message('bob', 'four')), 'four');
  });

  it('takes nobody to be there after a while without a key, where the terminal does not tell', () => {
    now = idleMs - 1;
    assert.equal(see(message('bob', 'early')), undefined);
    now = idleMs;
    assert.equal(see(message('bob', 'late')), 'late');
    attention.active();
    now += alertEveryMs;
    assert.equal(see(message('bob', 'back')), undefined);
  });

  it('believes a person who says to be away', () => assert.equal(see(message('bob', 'hi'), { saidAway: true }), 'hi'));

  it('rings once for a flood (HOSTILE 24)', () => {
    attention.focus(false);
    let rings = 0;
    for (let n = 0; n < 1000; n += 1) if (see(message(`user${n}`, 'alice alice')) !== undefined) rings += 1;
    assert.equal(rings, 1);
  });

  it('rings for offers and sessions only while nobody looks', () => {
    const offer: ClientEvent = { event: 'offer', id: 1, peer: 'bob', direction: 'incoming', name: 'a.txt', kind: 'file', size: 1, files: 1, counted: true, decision: 'ask' };
    attention.focus(true);
    assert.equal(see(offer), undefined);
    attention.focus(false);
    assert.equal(see(offer), 'offers a.txt');
    now += alertEveryMs;
    assert.equal(see({ ...offer, decision: 'accepted' }), undefined);
    assert.equal(see({ event: 'session-request', peer: 'bob', fingerprint: '' }), 'asks for a session');
  });
});

describe('delivery', () => {
  let delivery: Delivery;
  beforeEach(() => {
    now = 0;
    delivery = new Delivery(clock);
  });
  const say = (number: number) => delivery.see({ event: 'message', peer: 'bob', direction: 'out', text: 'x', number });
  const become = (number: number, state: 'waiting' | 'sent' | 'delivered' | 'undelivered') => delivery.see({ event: 'message-state', peer: 'bob', number, state });

  it('has no word for what arrives at once', () => {
    say(1);
    assert.equal(delivery.undelivered('bob'), 0);
    assert.equal(become(1, 'delivered'), 0);
    now = usualDeliveryMs;
    assert.deepEqual([delivery.undelivered('bob'), delivery.isUnderway], [0, false]);
  });

  it('counts what takes longer than usual', () => {
    say(1);
    now = usualDeliveryMs;
    say(2);
    assert.equal(delivery.undelivered('bob'), 1);
    become(1, 'delivered');
    assert.equal(delivery.undelivered('bob'), 0);
  });

  it('counts what waits for a connection, and says once when all of it has arrived', () => {
    say(1);
    become(1, 'waiting');
    say(2);
    become(2, 'waiting');
    assert.equal(delivery.undelivered('bob'), 2);
    become(1, 'sent');
    become(2, 'sent');
    assert.equal(delivery.undelivered('bob'), 2);
    assert.equal(become(1, 'delivered'), 0);
    assert.equal(become(2, 'delivered'), 2);
    assert.equal(delivery.undelivered('bob'), 0);
  });

  it('does not call delivered what never arrived', () => {
    say(1);
    become(1, 'waiting');
    assert.equal(become(1, 'undelivered'), 0);
    delivery.see({ event: 'session-closed', peer: 'bob', reason: '', code: 'link-lost', undelivered: 1 });
    assert.deepEqual([delivery.undelivered('bob'), delivery.isUnderway], [0, false]);
  });
});
