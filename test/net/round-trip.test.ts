/** Round trips: each answer belongs to the oldest ping, and whoever waits is never left waiting. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RoundTrip } from '../../src/net/round-trip.js';
import { timeLimits } from '../../src/protocol/limits.js';
import { ManualClock } from '../helpers/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  return { clock, roundTrip: new RoundTrip(clock) };
}

describe('a round trip', () => {
  it('is the time from a ping to its answer, for everybody who waits', async () => {
    const { clock, roundTrip } = setUp();
    roundTrip.ping();
    const waiting = [roundTrip.next(), roundTrip.next()];
    assert.equal(roundTrip.awaited, true);
    clock.advance(40);
    roundTrip.pong();
    assert.deepEqual(await Promise.all(waiting), [40, 40]);
    assert.equal(roundTrip.awaited, false);
    assert.equal(clock.pending, 0);
  });

  it('belongs to the oldest ping that has no answer', async () => {
    const { clock, roundTrip } = setUp();
    roundTrip.ping();
    clock.advance(10);
    roundTrip.ping();
    const first = roundTrip.next();
    clock.advance(10);
    roundTrip.pong();
    assert.equal(await first, 20);
    const second = roundTrip.next();
    clock.advance(5);
    roundTrip.pong();
    assert.equal(await second, 15);
  });

  it('is not made up by an answer to nothing', async () => {
    const { clock, roundTrip } = setUp();
    const waiting = roundTrip.next();
    roundTrip.pong();
    assert.equal(roundTrip.awaited, true);
    clock.advance(timeLimits.roundTripMs);
    assert.equal(await waiting, undefined);
  });

  it('is unknown when no answer comes in time, or the link ends', async () => {
    const { clock, roundTrip } = setUp();
    roundTrip.ping();
    const late = roundTrip.next();
    clock.advance(timeLimits.roundTripMs);
    assert.equal(await late, undefined);
    const ended = roundTrip.next();
    roundTrip.end();
    assert.equal(await ended, undefined);
    roundTrip.end();
  });
});
