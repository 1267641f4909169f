/** A session over in-memory links, against a peer made by hand: acknowledgements, violations, pauses, the end (PROTOCOL.md 7.3, 7.4). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientEvent } from '../../src/client/api.js';
import { deferred } from '../../src/net/deferred.js';
import type { PeerLink } from '../../src/net/peer-link.js';
import { P2pError } from '../../src/protocol/errors.js';
import { peerLimits } from '../../src/protocol/limits.js';
import type { PeerMessage } from '../../src/protocol/peer-messages.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { introducedBy, introductionId, linkPair, recordedSession } from '../helpers/session-pair.js';

/** Reads `link` as its peer; `receive` waits until so many messages have come. */
function listen(link: PeerLink) {
  const received: PeerMessage[] = [];
  let arrival = deferred<undefined>();
  const ended = deferred<string | undefined>();
  const arrived = () => {
    arrival.resolve(undefined);
    arrival = deferred();
  };
  link.attach({
    onMessage: (message) => {
      received.push(message);
      arrived();
    },
    onData: () => undefined,
    onEntryEnd: () => undefined,
    onEnd: (reason) => ended.resolve(reason?.message),
  });
  const receive = async (count: number) => {
    while (received.length < count) await arrival.promise;
    return received.slice(0, count);
  };
  return { received, receive, peerEnd: ended.promise };
}

async function setUp(onEvent: (event: ClientEvent) => void | Promise<void> = () => undefined) {
  const clock = new ManualClock();
  const first = await linkPair(clock, introductionId(1), () => ({}), () => ({}));
  const asked: string[] = [];
  const recorded = recordedSession({
    introduced: introducedBy(first.answerer, introductionId(1), 'bob', 'incoming'),
    clock,
    reconnect: (session) => {
      asked.push(session.peer);
      return Promise.reject(new P2pError('unavailable', 'Not there.'));
    },
    onEvent,
  });
  const { session } = recorded;
  session.start();
  /** The peer comes again, saying this about the session. */
  const comeBack = async (n: number, said: { session?: string; taken?: number }) => {
    const link = await linkPair(clock, introductionId(n), () => said, ({ session: name }) => session.continuity(name));
    session.take(introducedBy(link.answerer, introductionId(n), 'bob', 'incoming'));
    return { link, peer: link.asker, ...listen(link.asker) };
  };
  return { ...recorded, clock, asked, comeBack, cut: () => first.cut(), peer: first.asker, ...listen(first.asker) };
}

const chat = (number: number) => ({ type: 'chat', number, text: `m${number}` }) as const;

describe('a session', () => {
  it('acknowledges each message and shows one that is sent again only once', async () => {
    const { peer, texts, receive } = await setUp();
    for (const number of [1, 2, 1, 2, 3]) peer.send(chat(number));
    assert.deepEqual(await receive(5), [1, 2, 1, 2, 3].map((number) => ({ type: 'chat-ack', number })));
    assert.deepEqual(texts(), ['in m1', 'in m2', 'in m3']);
  });

  it('delivers when the peer acknowledges, not before', async () => {
    const { session, peer, receive } = await setUp();
    const order: string[] = [];
    const said = [session.say('m1').then(() => order.push('one')), session.say('m2').then(() => order.push('two'))];
    assert.deepEqual(await receive(2), [chat(1), chat(2)]);
    assert.deepEqual(order, []);
    peer.send({ type: 'chat-ack', number: 1 });
    await said[0];
    assert.deepEqual(order, ['one']);
    peer.send({ type: 'chat-ack', number: 2 });
    await said[1];
  });

  it('holds messages back while too many are unacknowledged, and keeps their order', async () => {
    const { session, peer, receive, received } = await setUp();
    const full = peerLimits.unacknowledgedMessages;
    const said = Array.from({ length: full + 2 }, (_, index) => session.say(`m${index + 1}`));
    await receive(full);
    assert.equal(received.length, full);
    for (const number of [9_999, 1, 1, 9_999, 2]) peer.send({ type: 'chat-ack', number });
    assert.deepEqual((await receive(full + 2)).slice(full), [chat(full + 1), chat(full + 2)]);
    peer.send({ type: 'chat-ack', number: full + 2 });
    await Promise.all(said);
  });

  it('refuses more where the peer reads, and confirms nothing', async () => {
    const { session, clock, end } = await setUp();
    const said = Array.from({ length: peerLimits.undeliveredMessages }, (_, index) => session.say(`m${index}`).catch(() => undefined));
    clock.advance(10_000);
    await assert.rejects(session.say('one too many'), { code: 'too-slow', message: /confirms none/u });
    void session.close();
    await Promise.all([...said, end]);
  });

  it('stops reading while whoever shows the messages is busy, and is not dead for that (HOSTILE 24)', async () => {
    let shown = deferred<undefined>();
    const { clock, peer, texts, receive, received } = await setUp(() => shown.promise.then(() => undefined));
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

  it('hands data and ends of entries to its transfers', async () => {
    const { peer, calls, receive } = await setUp();
    const data = Buffer.from('00000014' + '01' + '00000009' + '00000002' + '0000000000000005' + 'abcdef', 'hex');
    const end = Buffer.from('0000002a' + '02' + '00000009' + '00000002' + '00' + '12ab'.padEnd(64, '0'), 'hex');
    await Promise.all([peer.sendData(data), peer.sendData(end)]);
    peer.send(chat(1));
    await receive(1);
    assert.deepEqual(calls, ['attach first', 'data 9 2 5 3 true', 'end 9 2 0 12ab']);
  });

  it('ends politely from either side, once', async () => {
    const one = await setUp();
    const closed = [one.session.close(), one.session.close()];
    assert.deepEqual(await one.receive(1), [{ type: 'close' }]);
    await Promise.all(closed);
    assert.deepEqual([(await one.end).code, (await one.end).ours], ['closed-by-you', 'told']);

    const other = await setUp();
    await other.peer.close({ type: 'close' });
    assert.deepEqual([(await other.end).code, (await other.end).ours], ['closed-by-peer', undefined]);
    for (const { calls, asked } of [one, other]) {
      assert.deepEqual(calls, ['attach first', 'close session-closed']);
      assert.deepEqual(asked, []);
    }
  });
});

describe('a session without its link', () => {
  it('is told to be lost, keeps its transfers, and sends what was not taken when it is back', async () => {
    const { session, events, calls, cut, receive, peer, comeBack } = await setUp();
    const said = [session.say('m1'), session.say('m2')];
    await receive(2);
    peer.send({ type: 'chat-ack', number: 1 });
    await said[0];
    cut();
    while (session.state !== 'lost') await new Promise((resolve) => setImmediate(resolve));
    said.push(session.say('m3'));
    // The peer has taken the second as well; its acknowledgement was cut off.
    const again = await comeBack(2, { session: introductionId(1), taken: 2 });
    assert.deepEqual(await again.receive(1), [chat(3)]);
    await said[1];
    again.peer.send({ type: 'chat-ack', number: 3 });
    await said[2];
    const told = events.map((event) => (event.event === 'message-state' ? `${event.number} ${event.state}` : event.event));
    assert.deepEqual(told, ['message', 'message', '1 delivered', 'session-lost', '2 waiting', 'message', '3 waiting', 'session-back', '2 delivered', '3 sent', '3 delivered']);
    assert.deepEqual(calls, ['attach first', 'detach', 'attach continued']);
    assert.deepEqual(session.continuity(undefined), { session: introductionId(1), taken: 0 });
  });

  it('does not show again what the peer sends again', async () => {
    const { texts, cut, receive, peer, comeBack } = await setUp();
    peer.send(chat(1));
    await receive(1);
    cut();
    const again = await comeBack(2, { session: introductionId(1), taken: 0 });
    assert.equal(again.peer.heard.taken, 1);
    for (const number of [1, 2]) again.peer.send(chat(number));
    assert.deepEqual(await again.receive(2), [1, 2].map((number) => ({ type: 'chat-ack', number })));
    assert.deepEqual(texts(), ['in m1', 'in m2']);
  });

  it('begins its numbers anew with a program that was started anew', async () => {
    const { session, events, calls, texts, cut, receive, peer, comeBack } = await setUp();
    peer.send(chat(1));
    await receive(1);
    const first = session.say('m1');
    await receive(2);
    peer.send({ type: 'chat-ack', number: 1 });
    await first;
    const second = session.say('unconfirmed');
    await receive(3);
    cut();
    const again = await comeBack(2, {});
    assert.deepEqual(await again.receive(1), [{ type: 'chat', number: 1, text: 'unconfirmed' }]);
    again.peer.send({ type: 'chat-ack', number: 1 });
    again.peer.send(chat(1));
    await second;
    await again.receive(2);
    assert.deepEqual(texts(), ['in m1', 'out m1', 'out unconfirmed', 'in m1']);
    assert.deepEqual(events.flatMap((event) => (event.event === 'session-back' ? [event.restarted] : [])), [true]);
    assert.deepEqual(calls, ['attach first', 'detach', 'attach restarted']);
    assert.equal(session.id, introductionId(2));
  });

  it('takes the place of a link that still looks alive, without ending', async () => {
    const { session, events, calls, comeBack, peerEnd } = await setUp();
    const again = await comeBack(2, { session: introductionId(1), taken: 0 });
    assert.match((await peerEnd) ?? '', /./u);
    void session.say('m1');
    assert.deepEqual(await again.receive(1), [chat(1)]);
    assert.deepEqual(events.map(({ event }) => event), ['session-lost', 'session-back', 'message']);
    assert.deepEqual(calls, ['attach first', 'detach', 'attach continued']);
  });

  it('refuses to collect messages without end', async () => {
    const { session, cut, end } = await setUp();
    cut();
    const said = Array.from({ length: peerLimits.undeliveredMessages }, (_, index) => session.say(`m${index}`));
    const undelivered = Promise.allSettled(said);
    while (session.state !== 'lost') await new Promise((resolve) => setImmediate(resolve));
    await assert.rejects(session.say('one too many'), { code: 'too-slow' });
    void session.close();
    assert.deepEqual([(await end).undelivered, (await end).ours], [peerLimits.undeliveredMessages, 'untold']);
    assert.ok((await undelivered).every(({ status }) => status === 'rejected'));
  });

  it('ends after ten minutes, says how to go on by hand, and keeps what was received', async () => {
    const { session, clock, cut, end, calls, asked } = await setUp();
    const said = assert.rejects(session.say('lost'), { code: 'session-closed', message: /Not delivered/u });
    cut();
    while (session.state !== 'lost') await new Promise((resolve) => setImmediate(resolve));
    for (let seconds = 0; seconds < 599; seconds += 1) {
      clock.advance(1_000);
      await Promise.resolve();
      await Promise.resolve();
    }
    assert.equal(session.state, 'lost');
    assert.ok(asked.length > 20);
    clock.advance(1_000);
    const { code, reason, undelivered } = await end;
    assert.deepEqual([code, undelivered], ['link-lost', 1]);
    assert.match(reason, /10 minutes\. GET_CLIENT_INFO bob opens a new session; SEND_FILE with the same path continues/u);
    assert.deepEqual(calls, ['attach first', 'detach', 'close link-lost']);
    await said;
    await assert.rejects(session.say('more'), { code: 'session-closed' });
    clock.advance(60_000);
    assert.equal(clock.pending, 0);
  });

  it('is found to have none after 90 s of silence', async () => {
    const { clock, peer, session } = await setUp();
    // The peer answers no ping: its end of the pair is held.
    peer.send({ type: 'pong' });
    clock.advance(90_000);
    assert.equal(session.state, 'lost');
  });
});

describe('a peer that breaks the rules', () => {
  it('loses the link, and the session when it does so again', async () => {
    const { session, peer, end, peerEnd, texts, comeBack, calls } = await setUp();
    peer.send(chat(2));
    assert.match((await peerEnd) ?? '', /./u);
    while (session.state !== 'lost') await new Promise((resolve) => setImmediate(resolve));
    const again = await comeBack(2, { session: introductionId(1), taken: 0 });
    again.peer.send(chat(2));
    const { code, reason, ours } = await end;
    assert.deepEqual([code, ours], ['link-lost', 'untold']);
    assert.match(reason, /does not keep to the protocol/u);
    assert.deepEqual(texts(), []);
    assert.equal(calls.at(-1), 'close link-lost');
  });

  it('loses the link over data that was never offered (HOSTILE 30)', async () => {
    const { peer, session, peerEnd } = await setUp();
    const frame = Buffer.from('00000014' + '01' + '00000194' + '00000000' + '0000000000000000' + 'abcdef', 'hex');
    // The link may end before the write has called back.
    await Promise.allSettled([peer.sendData(frame)]);
    assert.match((await peerEnd) ?? '', /./u);
    while (session.state !== 'lost') await new Promise((resolve) => setImmediate(resolve));
  });
});
