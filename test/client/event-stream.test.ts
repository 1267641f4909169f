/** The stream of events of a library client: order, one reader, who is held back and for how long, what is dropped. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientEvent } from '../../src/client/api.js';
import { EventStream, type StreamedEvent } from '../../src/client/event-stream.js';
import { clientLimits } from '../../src/protocol/limits.js';
import { ManualClock } from '../helpers/manual-clock.js';

const { unreadEvents, unreadEventsBeforeHold, holdMs } = clientLimits;
const END: ClientEvent = { event: 'disconnected', reason: 'You have left.', code: 'closed' };

function said(text: string | number): ClientEvent {
  return { event: 'message', peer: 'bob', direction: 'in', text: String(text) };
}

function progress(id: number, bytes: number): ClientEvent {
  return { event: 'progress', id, bytes, total: 100, rate: 1 };
}

function fill(stream: EventStream, count: number): void {
  for (let number = 0; number < count; number += 1) void stream.push(said(number));
}

async function all(stream: EventStream): Promise<StreamedEvent[]> {
  const events: StreamedEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** Whether `promise` is settled after all that is ready has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise(setImmediate);
  return settled;
}

/** A loop that has read one event and waits within its body until it is told to go on. */
async function slowReader(stream: EventStream): Promise<{ next(): Promise<unknown>; stop(): Promise<unknown> }> {
  const iterator = stream[Symbol.asyncIterator]();
  void stream.push(said('first'));
  await iterator.next();
  return { next: () => iterator.next(), stop: () => iterator.return() };
}

describe('the stream of events', () => {
  it('gives what came before and after the loop began, in order, and ends after disconnected', async () => {
    const stream = new EventStream();
    void stream.push(said(1));
    const reading = all(stream);
    await new Promise(setImmediate);
    void stream.push(said(2));
    void stream.push(END);
    assert.deepEqual(await reading, [said(1), said(2), END]);
    assert.deepEqual(await all(stream), []);
  });

  it('has one loop at a time, and gives the next one what the last one left', async () => {
    const stream = new EventStream();
    void stream.push(said(1));
    void stream.push(said(2));
    void stream.push(END);
    for await (const event of stream) {
      assert.deepEqual(event, said(1));
      await assert.rejects(all(stream), { code: 'bad-argument' });
      break;
    }
    assert.deepEqual(await all(stream), [said(2), END]);
  });

  it('keeps only the newest progress of a transfer', async () => {
    const stream = new EventStream();
    for (const event of [progress(1, 10), progress(2, 10), progress(1, 20), said('x'), progress(1, 30), END]) void stream.push(event);
    assert.deepEqual(await all(stream), [progress(1, 30), progress(2, 10), said('x'), END]);
  });

  it('while no loop reads it holds nobody back, keeps the newest and tells how many are gone', async () => {
    const stream = new EventStream();
    fill(stream, unreadEvents - 1);
    assert.equal(stream.push(said('x')), undefined);
    void stream.push(said('y'));
    void stream.push(END);
    const events = await all(stream);
    assert.deepEqual(events[0], { event: 'events-dropped', count: 2 });
    assert.deepEqual(events.slice(1, 2), [said(2)]);
    assert.deepEqual(events.slice(-3), [said('x'), said('y'), END]);
    assert.equal(events.length, unreadEvents + 1);
  });
});

describe('a loop that is slower than the peers', () => {
  it('holds them back until half of what waits is read', async () => {
    const stream = new EventStream(new ManualClock());
    const reader = await slowReader(stream);
    fill(stream, unreadEventsBeforeHold);
    const held = stream.push(said('more'));
    assert.ok(held !== undefined);
    assert.equal(await isSettled(held), false);
    for (let left = unreadEventsBeforeHold + 1; left > unreadEventsBeforeHold / 2 + 1; left -= 1) await reader.next();
    assert.equal(await isSettled(held), false);
    await reader.next();
    assert.equal(await isSettled(held), true);
  });

  it('holds nobody back while it waits for a call, which may be answered by that peer', async () => {
    const stream = new EventStream(new ManualClock());
    await slowReader(stream);
    fill(stream, unreadEventsBeforeHold);
    const held = stream.push(said('more'));
    let finish: () => void = () => assert.fail('not called');
    const call = stream.during(() => new Promise<void>((resolve) => (finish = resolve)));
    assert.equal(await isSettled(held!), true);
    assert.equal(stream.push(said('and more')), undefined);
    finish();
    await call;
    assert.ok(stream.push(said('still more')) instanceof Promise);
  });

  it('lets them go when one event keeps it very busy, as it may wait for what only they can send', async () => {
    const clock = new ManualClock();
    const stream = new EventStream(clock);
    const reader = await slowReader(stream);
    fill(stream, unreadEventsBeforeHold);
    const held = stream.push(said('more'));
    for (let events = 0; events < 10; events += 1) {
      clock.advance(holdMs - 1);
      assert.equal(await isSettled(held!), false);
      await reader.next();
    }
    clock.advance(holdMs);
    assert.equal(await isSettled(held!), true);
    fill(stream, 10);
    const again = stream.push(said('more'));
    assert.equal(await isSettled(again!), false);
  });

  it('lets them go when it breaks off', async () => {
    const stream = new EventStream(new ManualClock());
    const reader = await slowReader(stream);
    fill(stream, unreadEventsBeforeHold);
    const held = stream.push(said('more'));
    await reader.stop();
    assert.equal(await isSettled(held!), true);
  });
});
