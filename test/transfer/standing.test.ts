/** How a transfer stands: who waits for what, told once for each change. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { timeLimits } from '../../src/protocol/limits.js';
import { Standing, type OwnWait } from '../../src/transfer/standing.js';
import { ManualClock } from '../helpers/manual-clock.js';

function setUp() {
  const clock = new ManualClock();
  const told: string[] = [];
  const said: OwnWait[] = [];
  const own: { wait: OwnWait } = { wait: 'nothing' };
  const standing = new Standing({
    clock,
    ownWait: () => own.wait,
    sayWaits: (on) => said.push(on),
    onChange: (state, waits) => told.push(waits === undefined ? state : `${state} ${waits}`),
  });
  const pass = (ms: number) => {
    for (let left = ms; left > 0; left -= 1000) {
      clock.advance(1000);
      standing.tick();
    }
  };
  return { clock, standing, told, said, own, pass };
}

describe('a transfer that does not move', () => {
  const causes: [string, OwnWait, OwnWait][] = [
    ['own-disk', 'disk', 'nothing'],
    ['own-rate-limit', 'rate-limit', 'nothing'],
    ['peer-disk', 'nothing', 'disk'],
    ['peer-rate-limit', 'nothing', 'rate-limit'],
    ['network', 'nothing', 'nothing'],
    // Both wait: what can be seen here is what can be mended here.
    ['own-disk', 'disk', 'disk'],
  ];
  for (const [waits, own, theirs] of causes) {
    it(`is stalled after five seconds, waiting for ${waits} (own ${own}, theirs ${theirs})`, () => {
      const at = setUp();
      at.own.wait = own;
      at.standing.peerWaits(theirs);
      at.pass(timeLimits.stalledMs - 1000);
      assert.deepEqual(at.told, []);
      at.pass(5000);
      assert.deepEqual(at.told, [`stalled ${waits}`]);
    });
  }

  it('runs again when something moves', () => {
    const at = setUp();
    at.pass(6000);
    at.standing.moved();
    at.pass(2000);
    assert.deepEqual(at.told, ['stalled network', 'running']);
  });

  it('says it anew when the cause changes', () => {
    const at = setUp();
    at.pass(6000);
    at.own.wait = 'disk';
    at.pass(3000);
    assert.deepEqual(at.told, ['stalled network', 'stalled own-disk']);
  });

  it('is not stalled while what is there is being compared', () => {
    const at = setUp();
    at.standing.checking(true);
    at.pass(20_000);
    at.standing.checking(false);
    at.pass(1000);
    assert.deepEqual(at.told, ['checking', 'running']);
  });
});

describe('a paused transfer', () => {
  it('says who paused it, both where both did, and is not stalled', () => {
    const at = setUp();
    at.standing.pause('peer', 'person');
    at.pass(20_000);
    at.standing.pause('you', 'person');
    at.standing.resume('you');
    at.standing.resume('peer');
    assert.deepEqual(at.told, ['paused paused-by-peer', 'paused paused-by-you', 'paused paused-by-peer', 'running']);
    assert.equal(at.standing.paused, false);
  });

  it('tells a full disk from a person', () => {
    const at = setUp();
    at.standing.pause('you', 'disk-full');
    at.standing.resume('you');
    at.standing.pause('peer', 'disk-full');
    assert.deepEqual(at.told, ['paused own-disk-full', 'running', 'paused peer-disk-full']);
  });

  it('is told when it gets under way, if it was paused before', () => {
    const at = setUp();
    at.standing.begin();
    assert.deepEqual(at.told, []);
    at.standing.pause('peer', 'person');
    at.standing.begin();
    assert.deepEqual(at.told, ['paused paused-by-peer', 'paused paused-by-peer']);
  });

  it('stays paused by us over a new link, and no longer by the other, who says it again', () => {
    const at = setUp();
    at.standing.pause('you', 'person');
    at.standing.pause('peer', 'person');
    at.standing.linked(false);
    at.standing.linked(true);
    assert.deepEqual([at.standing.pausedBy('you'), at.standing.pausedBy('peer')], ['person', undefined]);
    assert.deepEqual(at.told, ['paused paused-by-you', 'reconnecting', 'paused paused-by-you']);
  });
});

describe('the other side', () => {
  it('is told of our waits once, and when they are over', () => {
    const at = setUp();
    at.own.wait = 'disk';
    at.pass(5000);
    at.own.wait = 'nothing';
    at.pass(3000);
    assert.deepEqual(at.said, ['disk', 'nothing']);
  });

  it('is told again on a new link', () => {
    const at = setUp();
    at.own.wait = 'rate-limit';
    at.pass(1000);
    at.standing.linked(false);
    at.pass(3000);
    at.standing.linked(true);
    at.pass(2000);
    assert.deepEqual(at.said, ['rate-limit', 'rate-limit']);
  });
});
