/** The rate limit: bytes over time, in the order of asking, changeable while some wait. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RateLimiter } from '../../src/transfer/rate-limit.js';
import { ManualClock } from '../helpers/manual-clock.js';

describe('a rate limit', () => {
  it('lets everything pass at once where there is none', () => {
    const limiter = new RateLimiter(new ManualClock());
    assert.equal(limiter.sending.take(1e12), undefined);
    assert.equal(limiter.sending.evenBytes, undefined);
  });

  it('makes up for what has passed before the next passes', async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter(clock);
    limiter.limit = 10_000;
    assert.equal(limiter.sending.take(10_000), undefined);
    const order: string[] = [];
    const turn = limiter.sending.take(1);
    assert.ok(turn !== undefined);
    void turn.come.then(() => order.push('come'));
    clock.advance(990);
    await Promise.resolve();
    assert.deepEqual(order, []);
    clock.advance(20);
    await turn.come;
    assert.deepEqual(order, ['come']);
  });

  it('keeps the rate over many takes, whatever their size', async () => {
    const clock = new ManualClock();
    const limiter = new RateLimiter(clock);
    limiter.limit = 100_000;
    let passed = 0;
    const pump = async () => {
      for (let n = 0; n < 400; n += 1) {
        const bytes = 1000 + ((n * 7919) % 9000);
        await limiter.sending.take(bytes)?.come;
        passed += bytes;
      }
    };
    const done = pump();
    for (let n = 0; n < 1000; n += 1) {
      clock.advance(10);
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
    }
    // Ten seconds; a burst of a quarter of one and the last take may be on top.
    assert.ok(passed >= 950_000 && passed <= 1_050_000, `${passed} bytes`);
    limiter.limit = undefined;
    await done;
  });

  it('serves those who wait in their order, however small the later ones are', async () => {
    const clock = new ManualClock();
    const { sending } = new RateLimiter(clock);
    sending.limit = 1000;
    sending.take(1000);
    const order: number[] = [];
    for (const bytes of [500, 1, 100]) void sending.take(bytes)?.come.then(() => order.push(bytes));
    for (let n = 0; n < 40; n += 1) {
      clock.advance(100);
      await Promise.resolve();
    }
    assert.deepEqual(order, [500, 1, 100]);
  });

  it('lets those who wait go when it is lifted', async () => {
    const limiter = new RateLimiter(new ManualClock());
    limiter.limit = 1;
    limiter.receiving.take(1000);
    const turn = limiter.receiving.take(1000);
    assert.ok(turn !== undefined);
    limiter.limit = undefined;
    await turn.come;
  });

  it('does not wait for somebody who has given up', async () => {
    const clock = new ManualClock();
    const { sending } = new RateLimiter(clock);
    sending.limit = 1000;
    sending.take(1000);
    const first = sending.take(1_000_000);
    const second = sending.take(1);
    const third = sending.take(1);
    assert.ok(first !== undefined && second !== undefined && third !== undefined);
    first.giveUp();
    clock.advance(1100);
    await second.come;
    await third.come;
  });

  it('limits sending and receiving apart', () => {
    const limiter = new RateLimiter(new ManualClock());
    limiter.limit = 1000;
    limiter.sending.take(1_000_000);
    assert.equal(limiter.receiving.take(10), undefined);
  });
});
