/** A session over an in-memory pair, against a peer made by hand: numbers, acknowledgements, violations, the end (PROTOCOL.md 7.4). */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ClientEvent, SessionEnd } from '../../src/client/api.js';
import { Session } from '../../src/client/session.js';
import { deferred } from '../../src/net/deferred.js';
import { PeerLink } from '../../src/net/peer-link.js';
import { peerLimits } from '../../src/protocol/limits.js';
import type { PeerMessage } from '../../src/protocol/peer-messages.js';
import { ReceiveStore } from '../../src/transfer/receive-store.js';
import { duplexPair } from '../helpers/duplex-pair.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { temporaryFolder } from '../helpers/test-client.js';

const introduction = 'A'.repeat(22);
const fingerprint = `SHA256:${'A'.repeat(43)}`;

async function setUp(t: TestContext, onEvent: (event: ClientEvent) => void | Promise<void> = () => undefined) {
  const clock = new ManualClock();
  const [near, far] = duplexPair();
  const link = new PeerLink(near, { role: 'answerer', clock, address: '192.0.2.1:4000', fingerprint, agent: 'test' });
  const peer = new PeerLink(far, { role: 'asker', clock, address: '192.0.2.2:4000', fingerprint, agent: 'test' });
  peer.sendHello(introduction);
  await link.receiveHello();
  link.sendHello(introduction);
  await peer.receiveHello();
  peer.sendGo();
  await link.receiveGo();

  const home = await temporaryFolder(t);
  const events: ClientEvent[] = [];
  const end = deferred<{ code: SessionEnd; undelivered: number }>();
  const session = new Session({
    introduced: { peer: 'bob', fingerprint, direction: 'incoming', link, addresses: [], firstContact: false },
    clock,
    accept: 'none',
    store: new ReceiveStore({ received: `${home}/received`, partial: `${home}/partial` }),
    nextTransferId: () => 1,
    emit: (event) => {
      events.push(event);
      return onEvent(event);
    },
    onEnd: (_session, { code, undelivered }) => end.resolve({ code, undelivered }),
  });
  session.start();

  const received: PeerMessage[] = [];
  let arrival = deferred<undefined>();
  const peerEnd = deferred<string | undefined>();
  peer.attach({
    onMessage: (message) => {
      received.push(message);
      arrival.resolve(undefined);
      arrival = deferred();
    },
    onData: () => undefined,
    onEnd: (reason) => peerEnd.resolve(reason?.message),
  });
  /** Waits until the session has sent `count` messages. */
  const receive = async (count: number) => {
    while (received.length < count) await arrival.promise;
    return received.slice(0, count);
  };
  const texts = () => events.flatMap((event) => (event.event === 'message' ? [`${event.direction} ${event.text}`] : []));
  return { session, peer, clock, events, texts, receive, received, end: end.promise, peerEnd: peerEnd.promise };
}

describe('a session', () => {
  it('acknowledges each message and shows one that is sent again only once', async (t) => {
    const { peer, texts, receive } = await setUp(t);
    for (const number of [1, 2, 1, 2, 3]) peer.send({ type: 'chat', number, text: `m${number}` });
    assert.deepEqual(await receive(5), [1, 2, 1, 2, 3].map((number) => ({ type: 'chat-ack', number })));
    assert.deepEqual(texts(), ['in m1', 'in m2', 'in m3']);
  });

  it('ends when a message is missing', async (t) => {
    const { peer, texts, end } = await setUp(t);
    peer.send({ type: 'chat', number: 2, text: 'where is the first?' });
    assert.equal((await end).code, 'link-lost');
    assert.deepEqual(texts(), []);
  });

  it('delivers when the peer acknowledges, not before', async (t) => {
    const { session, peer, receive } = await setUp(t);
    const order: string[] = [];
    const said = [session.say('one').then(() => order.push('one')), session.say('two').then(() => order.push('two'))];
    assert.deepEqual(await receive(2), [
      { type: 'chat', number: 1, text: 'one' },
      { type: 'chat', number: 2, text: 'two' },
    ]);
    assert.deepEqual(order, []);
    peer.send({ type: 'chat-ack', number: 1 });
    await said[0];
    assert.deepEqual(order, ['one']);
    peer.send({ type: 'chat-ack', number: 2 });
    await said[1];
  });

  it('holds messages back while too many are unacknowledged', async (t) => {
    const { session, peer, receive, received } = await setUp(t);
    const said = Array.from({ length: peerLimits.unacknowledgedMessages + 1 }, (_, index) => session.say(`m${index}`));
    await receive(peerLimits.unacknowledgedMessages);
    assert.equal(received.length, peerLimits.unacknowledgedMessages);
    peer.send({ type: 'chat-ack', number: 1 });
    await receive(peerLimits.unacknowledgedMessages + 1);
    for (let number = 2; number <= said.length; number += 1) peer.send({ type: 'chat-ack', number });
    await Promise.all(said);
  });

  it('keeps the order of messages held back, whatever the peer acknowledges', async (t) => {
    const { session, peer, receive } = await setUp(t);
    const full = peerLimits.unacknowledgedMessages;
    const said = Array.from({ length: full + 2 }, (_, index) => session.say(`m${index + 1}`));
    await receive(full);
    for (const number of [9_999, 1, 1, 9_999, 2]) peer.send({ type: 'chat-ack', number });
    const [first, second] = (await receive(full + 2)).slice(full);
    assert.deepEqual([first, second], [full + 1, full + 2].map((number) => ({ type: 'chat', number, text: `m${number}` })));
    for (let number = 3; number <= said.length; number += 1) peer.send({ type: 'chat-ack', number });
    await Promise.all(said);
  });

  it('stops reading while whoever shows the messages is busy, and is not dead for that (HOSTILE 24)', async (t) => {
    let shown = deferred<undefined>();
    const { clock, peer, texts, receive, received } = await setUp(t, () => shown.promise.then(() => undefined));
    const flood = 2_000;
    for (let number = 1; number <= flood; number += 1) peer.send({ type: 'chat', number, text: 'x'.repeat(1_000) });
    await receive(1);
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    assert.ok(texts().length < flood / 10, `${texts().length} messages were taken`);
    // The peer lives and is not read; only its own patience would end this.
    clock.advance(60_000);
    const release = shown;
    shown = deferred();
    shown.resolve(undefined);
    release.resolve(undefined);
    await receive(flood);
    assert.equal(texts().length, flood);
    assert.ok(received.every(({ type }) => type === 'chat-ack' || type === 'ping' || type === 'pong'));
  });

  it('says how many messages were not delivered when the link is lost', async (t) => {
    const { session, peer, receive, end } = await setUp(t);
    const said = assert.rejects(session.say('lost'), { code: 'session-closed', message: /Not delivered/u });
    await receive(1);
    peer.destroy();
    assert.deepEqual(await end, { code: 'link-lost', undelivered: 1 });
    await said;
    await assert.rejects(session.say('more'), { code: 'session-closed' });
  });

  it('ends politely from either side, once', async (t) => {
    const one = await setUp(t);
    const closed = [one.session.close('closed-by-you', 'enough'), one.session.close('closed-by-you', 'enough')];
    assert.deepEqual(await one.receive(1), [{ type: 'close' }]);
    await Promise.all(closed);
    assert.equal((await one.end).code, 'closed-by-you');

    const other = await setUp(t);
    await other.peer.close({ type: 'close' });
    assert.equal((await other.end).code, 'closed-by-peer');
  });

  it('is dead after 90 s of silence', async (t) => {
    const { clock, end, peer } = await setUp(t);
    // The peer answers no ping: its end of the pair is held.
    peer.send({ type: 'pong' });
    clock.advance(90_000);
    assert.equal((await end).code, 'link-lost');
  });

  it('closes the link on data that was never offered (HOSTILE 30)', async (t) => {
    const { peer, end, peerEnd } = await setUp(t);
    const frame = Buffer.from('00000010' + '01' + '00000009' + '0000000000000000' + 'abcdef', 'hex');
    // The link may end before the write has called back.
    await Promise.allSettled([peer.sendData(frame)]);
    assert.equal((await end).code, 'link-lost');
    assert.match((await peerEnd) ?? '', /./u);
  });
});
