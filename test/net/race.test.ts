/** The race of paths: order, stagger, exactly one winner, clean losers, a report that names every path (PROTOCOL.md 7.1). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deferred, type Deferred } from '../../src/net/deferred.js';
import { NoPath, race, type Path } from '../../src/net/race.js';
import { P2pError } from '../../src/protocol/errors.js';
import { ManualClock } from '../helpers/manual-clock.js';

interface TestPath extends Path<string> {
  readonly result: Deferred<string>;
}

function setUp(delays: readonly number[]) {
  const clock = new ManualClock();
  const log: string[] = [];
  const stop = new AbortController();
  const paths = delays.map((delayMs, index): TestPath => {
    const name = `path ${index}`;
    const result = deferred<string>({ quiet: true });
    return {
      name,
      delayMs,
      result,
      attempt: (signal) => {
        log.push(`${name} begins`);
        signal.addEventListener('abort', () => log.push(`${name} is told to stop`));
        return result.promise;
      },
    };
  });
  const outcome = race(paths, { clock, timeoutMs: 15_000, signal: stop.signal, discard: (value) => log.push(`${value} is discarded`) });
  return { clock, log, paths, stop, outcome, settle: () => new Promise((resolve) => setImmediate(resolve)) };
}

describe('a race of paths', () => {
  it('starts them staggered and takes the first that yields', async () => {
    const { clock, log, paths, outcome } = setUp([0, 250, 500]);
    assert.deepEqual(log, ['path 0 begins']);
    clock.advance(250);
    assert.deepEqual(log, ['path 0 begins', 'path 1 begins']);
    paths[1]!.result.resolve('one');
    assert.equal(await outcome, 'one');
    assert.deepEqual(log.slice(2), ['path 0 is told to stop', 'path 1 is told to stop']);
    assert.equal(clock.pending, 0);
  });

  it('discards what comes after the winner', async () => {
    const { log, paths, outcome, settle } = setUp([0, 0]);
    paths[0]!.result.resolve('zero');
    await outcome;
    paths[1]!.result.resolve('one');
    await settle();
    assert.ok(log.includes('one is discarded'));
    assert.ok(!log.includes('zero is discarded'));
  });

  it('goes on when some fail, and fails at once when all have', async () => {
    const { paths, outcome } = setUp([0, 0]);
    paths[0]!.result.reject(new P2pError('cannot-connect', 'nobody listens there'));
    paths[1]!.result.reject(new P2pError('timed-out', 'no answer'));
    await assert.rejects(outcome, (error) => {
      assert.ok(error instanceof NoPath);
      assert.deepEqual(error.failures, [
        { name: 'path 0', reason: 'nobody listens there' },
        { name: 'path 1', reason: 'no answer' },
      ]);
      return true;
    });
  });

  it('ends after its time, naming those that never answered', async () => {
    const { clock, paths, outcome, log, settle } = setUp([0, 0]);
    paths[0]!.result.reject(new P2pError('cannot-connect', 'nobody listens there'));
    await settle();
    clock.advance(15_000);
    await assert.rejects(outcome, { code: 'no-path', message: 'path 0: nobody listens there; path 1: no answer' });
    assert.ok(log.includes('path 1 is told to stop'));
  });

  it('ends when told to', async () => {
    const { clock, stop, outcome, log } = setUp([0, 250]);
    stop.abort();
    await assert.rejects(outcome, { code: 'closed' });
    assert.ok(log.includes('path 0 is told to stop'));
    clock.advance(1000);
    assert.ok(!log.includes('path 1 begins'));
  });

  it('fails at once without a path', async () => {
    await assert.rejects(setUp([]).outcome, { code: 'no-path' });
  });
});
