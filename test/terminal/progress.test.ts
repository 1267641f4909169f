/** Which events of offers and transfers are worth a line, and when. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientEvent, ClientEventOf } from '../../src/client/api.js';
import { ProgressPace } from '../../src/terminal/progress.js';

const told = { id: 1, peer: 'bob', direction: 'incoming', name: 'a' } as const;
const offer: ClientEventOf<'offer'> = { event: 'offer', ...told, kind: 'folder', size: 1, files: 1, counted: false, decision: 'ask' };

function update(files: number, more: { counted?: boolean; same?: number } = {}): ClientEvent {
  return { event: 'offer-update', ...told, size: files, files, counted: false, ...more };
}

function state(state: ClientEventOf<'transfer-state'>['state'], waits?: ClientEventOf<'transfer-state'>['waits']): ClientEvent {
  return { event: 'transfer-state', ...told, state, ...(waits === undefined ? {} : { waits }) };
}

/** Which of the events, all at the same moment, are due. */
function due(events: readonly ClientEvent[]): boolean[] {
  const pace = new ProgressPace();
  return events.map((event) => pace.isDue(event, 0));
}

describe('the pace of progress lines', () => {
  const at = (bytes: number, total: number | null = 100) => ({ event: 'progress', id: 1, bytes, total, rate: 1 }) as const;
  it('has the first after two seconds, then one for each ten percent, at most every two seconds', () => {
    const pace = new ProgressPace();
    const seen = [[0, 0], [1000, 5], [2000, 10], [2500, 30], [4000, 35], [6000, 36], [34_001, 37]].filter(([now = 0, bytes = 0]) => pace.isDue(at(bytes), now));
    assert.deepEqual(seen, [[2000, 10], [4000, 35], [34_001, 37]]);
  });
  it('has one each thirty seconds where the total is not known', () => {
    const pace = new ProgressPace();
    const seen = [0, 2000, 4000, 31_000, 32_000, 40_000].filter((now) => pace.isDue(at(now, null), now));
    assert.deepEqual(seen, [2000, 32_000]);
  });
  it('has none while the transfer is paused', () => {
    const pace = new ProgressPace();
    pace.isDue(at(0), 0);
    pace.isDue(state('paused', 'paused-by-you'), 1);
    assert.equal(pace.isDue(at(50), 5000), false);
    pace.isDue(state('running'), 6000);
    assert.equal(pace.isDue(at(50), 6000), true);
  });
  it('forgets a transfer that has ended', () => {
    const pace = new ProgressPace();
    pace.isDue(at(0), 0);
    pace.isDue({ event: 'transfer-failed', ...told, code: 'cancelled', message: '' }, 1);
    assert.equal(pace.isDue(at(50), 5000), false);
  });
});

describe('the pace of lines about an offer', () => {
  it('is not that of a count: only its end is said', () => {
    assert.deepEqual(due([offer, update(10), update(20), update(30, { counted: true }), update(30, { counted: true })]), [true, false, false, true, false]);
  });
  it('says that files are there already, and more of them not before two seconds', () => {
    const pace = new ProgressPace();
    const seen = [[0, 0], [100, 5], [200, 6], [2100, 7], [2200, 7], [9000, 7]].filter(([now = 0, same = 0]) => pace.isDue(update(10, { same }), now));
    assert.deepEqual(seen, []);
    pace.isDue(offer, 0);
    const open = [[0, 0], [100, 5], [200, 6], [2100, 7], [2200, 7], [9000, 7]].filter(([now = 0, same = 0]) => pace.isDue(update(10, { same }), now));
    assert.deepEqual(open, [[100, 5], [2100, 7]]);
  });
  it('ends with the answer', () => {
    const counted = update(30, { counted: true });
    assert.deepEqual(due([{ ...offer, decision: 'accepted' }, counted]), [true, false]);
    assert.deepEqual(due([offer, { event: 'progress', id: 1, bytes: 0, total: 1, rate: 0 }, counted]), [true, false, false]);
    assert.deepEqual(due([offer, state('queued'), counted]), [true, true, false]);
  });
});

describe('the pace of lines about states', () => {
  it('says that a transfer runs only after something else was said', () => {
    assert.deepEqual(due([state('running'), state('stalled', 'network'), state('running'), state('running')]), [false, true, true, false]);
  });
  it('says a new reason, and not the same one twice', () => {
    assert.deepEqual(due([state('stalled', 'network'), state('stalled', 'network'), state('stalled', 'own-disk')]), [true, false, true]);
  });
});
