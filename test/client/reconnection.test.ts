/** When a lost session asks for its peer again (PROTOCOL.md 7.3.1): at once, after a while, when a person says so. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Reconnection } from '../../src/client/reconnection.js';
import { deferred, type Deferred } from '../../src/net/deferred.js';
import { P2pError } from '../../src/protocol/errors.js';
import { peerLimits, timeLimits } from '../../src/protocol/limits.js';
import { ManualClock } from '../helpers/manual-clock.js';

function lostSession() {
  const clock = new ManualClock();
  const attempts: Deferred<undefined>[] = [];
  const final: P2pError[] = [];
  const reconnection = new Reconnection({
    clock,
    random: () => 0.5,
    attempt: async () => {
      const attempt = deferred<undefined>();
      attempts.push(attempt);
      await attempt.promise;
    },
    onFinal: (error) => {
      final.push(error);
      reconnection.stop();
    },
    onTimeUp: () => undefined,
  });
  return { clock, attempts, final, reconnection };
}

const unavailable = new P2pError('unavailable', 'not there');

describe('a lost session', () => {
  it('is asked for at once by the one who asked last, and a while later by the other', () => {
    const first = lostSession();
    first.reconnection.start(true);
    assert.equal(first.attempts.length, 1);
    const second = lostSession();
    second.reconnection.start(false);
    second.clock.advance(timeLimits.reconnectAnswererMs - 1);
    assert.equal(second.attempts.length, 0);
    second.clock.advance(1);
    assert.equal(second.attempts.length, 1);
  });

  it('is asked for once more when a person says so in the middle of an attempt that fails', async () => {
    const { attempts, reconnection } = lostSession();
    reconnection.start(true);
    const now = reconnection.now();
    attempts[0]?.reject(unavailable);
    // The peer has come meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(attempts.length, 2);
    attempts[1]?.resolve(undefined);
    await now;
  });

  it('is not asked for once more when the attempt that was under way says that it has ended', async () => {
    const { attempts, final, reconnection } = lostSession();
    reconnection.start(true);
    const now = reconnection.now();
    attempts[0]?.reject(new P2pError('session-closed', 'over'));
    await assert.rejects(now, { code: 'session-closed' });
    assert.deepEqual([attempts.length, final.length], [1, 1]);
  });

  it('is asked for again at once when the server is back, and not twice at the same time', async () => {
    const { clock, attempts, reconnection } = lostSession();
    reconnection.start(true);
    reconnection.hurry();
    assert.equal(attempts.length, 1);
    attempts[0]?.reject(unavailable);
    await new Promise((resolve) => setImmediate(resolve));
    reconnection.hurry();
    assert.equal(attempts.length, 2);
    reconnection.stop();
    clock.advance(timeLimits.reconnectMs);
    assert.deepEqual([attempts.length, clock.pending], [2, 0]);
  });

  it('is asked for with growing waits where links come and soon break', () => {
    const { clock, attempts, reconnection } = lostSession();
    for (let link = 1; link <= peerLimits.shortLinks + 1; link += 1) {
      clock.advance(link === 1 ? timeLimits.shortLinkMs : 0);
      reconnection.start(true);
      assert.equal(attempts.length, link);
      reconnection.stop();
    }
    reconnection.start(true);
    assert.equal(attempts.length, peerLimits.shortLinks + 1);
    clock.advance(timeLimits.backOffFirstMs);
    assert.equal(attempts.length, peerLimits.shortLinks + 2);
    reconnection.stop();
    clock.advance(timeLimits.shortLinkMs);
    reconnection.start(true);
    assert.equal(attempts.length, peerLimits.shortLinks + 3);
  });
});
