/** Several transfers at once: turns, queues, pauses from either side, ends; and what a full disk does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { transferLimits } from '../../src/protocol/limits.js';
import { TransferFailure } from '../../src/transfer/failure.js';
import type { Incoming, Store } from '../../src/transfer/store/store.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { linkedPair, patterned, Wire, type Side } from './harness.js';

const MiB = 1024 * 1024;

async function offers(side: Side, sizes: readonly number[]) {
  const all = [];
  for (const [n, size] of sizes.entries()) all.push(await side.manager.offer(await side.file(`${n}`, patterned(size, n + 1))));
  return all;
}

describe('several transfers', () => {
  it('share the link: a small one does not wait for a large one', async (t) => {
    const { alice, bob } = await linkedPair(t);
    const [large, small] = await offers(alice, [60 * MiB, 1000]);
    await small?.finished;
    const [snapshot] = alice.manager.snapshots();
    assert.equal(snapshot?.id, large?.id);
    await large?.finished;
    assert.deepEqual(await bob.read('1'), patterned(1000, 2));
  });

  it('wait in line beyond those that may run; small ones pass the large ones', async (t) => {
    const { alice, bob } = await linkedPair(t, { alice: { clock: new ManualClock() } });
    alice.limiter.limit = 1000;
    const large = Array.from({ length: transferLimits.activePerPeer + 2 }, () => 2 * MiB);
    await offers(alice, large);
    const { id } = await alice.manager.offer(await alice.file('small', 'x'));
    await bob.event('offer', (event) => event.name === 'small');
    await alice.message('offer', (message) => message.name === 'small');
    await bob.message('accept', ({ transfer }) => transfer === id);
    const states = bob.manager.snapshots().map(({ state }) => state);
    assert.deepEqual(states.filter((state) => state === 'queued').length, 2);
  });

  it('all arrive, however many', async (t) => {
    const { alice, bob } = await linkedPair(t);
    const sizes = Array.from({ length: 100 }, (_, n) => (n % 10 === 0 ? 1_500_000 : 100 * n));
    const all = await offers(alice, sizes);
    const outcomes = await Promise.all(all.map(({ finished }) => finished));
    assert.deepEqual(outcomes.filter(({ event }) => event !== 'transfer-done'), []);
    for (const [n, size] of sizes.entries()) assert.deepEqual(await bob.read(`${n}`), patterned(size, n + 1), `${n}`);
  });
});

describe('a pause', () => {
  for (const by of ['alice', 'bob'] as const) {
    it(`by ${by} stops both, is told to both, and is taken back`, async (t) => {
      const pair = await linkedPair(t);
      const [transfer] = await offers(pair.alice, [40 * MiB]);
      const other = by === 'alice' ? pair.bob : pair.alice;
      await pair.bob.message('credit');
      const id = pair[by].manager.snapshots()[0]?.id ?? 0;
      await pair[by].manager.pause(id);
      assert.equal((await other.event('transfer-state')).waits, 'paused-by-peer');
      assert.equal((await pair[by].event('transfer-state')).waits, 'paused-by-you');
      await assert.rejects(other.manager.resume(other.manager.snapshots()[0]?.id ?? 0), { code: 'no-such-transfer' });
      await pair[by].manager.resume(id);
      assert.equal((await transfer?.finished)?.event, 'transfer-done');
      assert.deepEqual(await pair.bob.read('0'), patterned(40 * MiB, 1));
    });
  }

  it('of one leaves the other running', async (t) => {
    const { alice, bob } = await linkedPair(t);
    const [first, second] = await offers(alice, [40 * MiB, 10 * MiB]);
    await bob.message('credit', ({ transfer }) => transfer === 1);
    await alice.manager.pause(first?.id ?? 0);
    assert.equal((await second?.finished)?.event, 'transfer-done');
    assert.equal(alice.manager.snapshots()[0]?.state, 'paused');
  });

  it('of what has not begun is an error', async (t) => {
    const { alice } = await linkedPair(t, { bob: { policy: { accept: 'ask' } } });
    const [transfer] = await offers(alice, [10]);
    await assert.rejects(alice.manager.pause(transfer?.id ?? 0), { code: 'no-such-transfer' });
  });
});

describe('a cancelled transfer', () => {
  for (const by of ['alice', 'bob'] as const) {
    it(`by ${by} ends on both sides and leaves nothing`, async (t) => {
      const pair = await linkedPair(t);
      const [transfer] = await offers(pair.alice, [60 * MiB]);
      await pair.bob.message('credit');
      await pair[by].manager.cancel(pair[by].manager.snapshots()[0]?.id ?? 0);
      const [sent, got] = await Promise.all([transfer?.finished, pair.bob.event('transfer-failed')]);
      assert.deepEqual([sent?.event === 'transfer-failed' && sent.code, got.code], ['cancelled', 'cancelled']);
      assert.deepEqual([sent?.event === 'transfer-failed' && sent.by, got.by], by === 'alice' ? ['you', 'peer'] : ['peer', 'you']);
      assert.deepEqual(await pair.bob.folders(), { received: [], partial: [] });
    });
  }
});

/** A disk that is full while `full` is true, or only when something is to get its name. */
function fillingStore(real: Store, disk: { full: boolean }, when: 'always' | 'publish' = 'always'): Store {
  const refuse = () => Promise.reject(new TransferFailure('disk-full', 'The receiver has no room for the file (ENOSPC).'));
  return {
    outlook: (wanted) => real.outlook(wanted),
    sameEntries: (wanted, listing) => real.sameEntries(wanted, listing),
    leftovers: () => real.leftovers(),
    removeLeftovers: (nowMs) => real.removeLeftovers(nowMs),
    close: () => real.close(),
    open: async (wanted, events) => {
      if (disk.full && when === 'always') return await refuse();
      const place = await real.open(wanted, events);
      const filling: Incoming = {
        get ended() {
          return place.ended;
        },
        get settled() {
          return place.settled;
        },
        get busyMs() {
          return place.busyMs;
        },
        start: () => place.start(),
        plan: (listing) => (disk.full && when === 'always' ? refuse() : place.plan(listing)),
        write: (block, bytes) => (disk.full && when === 'always' ? Promise.resolve({ bytes: 0, had: 0, ended: 0, full: true }) : place.write(block, bytes)),
        publish: () => (disk.full ? refuse() : place.publish()),
        discard: () => place.discard(),
        keep: () => place.keep(),
      };
      return filling;
    },
  };
}

describe('a full disk', () => {
  for (const moment of ['before it begins', 'while it runs'] as const) {
    it(`${moment} pauses the transfer, tells both sides, and lets it go on when there is room`, async (t) => {
      const disk = { full: moment === 'before it begins' };
      const clock = new ManualClock();
      const { alice, bob, wire } = await linkedPair(t, { bob: { clock, store: (real) => fillingStore(real, disk) } });
      const content = patterned(40 * MiB, 1);
      const { finished } = await alice.manager.offer(await alice.file('0', content));
      if (!disk.full) {
        await bob.message('credit');
        disk.full = true;
      }
      const pause = await bob.message('pause');
      assert.equal(pause.reason, 'disk-full');
      assert.equal((await alice.event('transfer-state')).waits, 'peer-disk-full');
      assert.equal((await bob.event('transfer-state')).waits, 'own-disk-full');
      if (moment === 'before it begins') assert.deepEqual([alice.manager.snapshots()[0]?.state, bob.manager.snapshots()[0]?.state], ['paused', 'paused']);
      // Still full, and full again.
      for (let tries = 0; tries < 3; tries += 1) {
        clock.advance(5000);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.ok(wire.up);
      disk.full = false;
      clock.advance(5000);
      await bob.message('resume');
      assert.equal((await finished).event, 'transfer-done');
      assert.deepEqual(await bob.read('0'), content);
    });
  }

  for (const moment of ['another try', 'the link broke'] as const) {
    it(`that has room again after ${moment} does not hold the transfer for ever`, async (t) => {
      const disk = { full: false };
      const clock = new ManualClock();
      const { alice, bob, wire } = await linkedPair(t, { bob: { clock, store: (real) => fillingStore(real, disk) } });
      const content = patterned(MiB, 1);
      const { finished } = await alice.manager.offer(await alice.file('0', content));
      // While it is being sent: the plan behind it finds the disk full.
      await bob.message('accept', () => {
        disk.full = true;
        return true;
      });
      await bob.message('pause');
      if (moment === 'the link broke') wire.cut();
      disk.full = false;
      clock.advance(5000);
      if (moment === 'the link broke') new Wire([alice, bob], 'continued');
      assert.equal((await finished).event, 'transfer-done');
      assert.deepEqual(await bob.read('0'), content);
    });
  }

  it('does not keep a transfer from being cancelled when all has come', async (t) => {
    const disk = { full: false };
    const { alice, bob } = await linkedPair(t, { bob: { store: (real) => fillingStore(real, disk, 'publish') } });
    const [transfer] = await offers(alice, [MiB]);
    disk.full = true;
    await bob.message('pause');
    await bob.manager.cancel(bob.manager.snapshots()[0]?.id ?? 0);
    assert.equal((await transfer?.finished)?.event, 'transfer-failed');
    assert.deepEqual(await bob.folders(), { received: [], partial: [] });
  });

  it('does not keep a transfer from being cancelled', async (t) => {
    const disk = { full: false };
    const { alice, bob } = await linkedPair(t, { bob: { store: (real) => fillingStore(real, disk) } });
    const [transfer] = await offers(alice, [40 * MiB]);
    await bob.message('credit');
    disk.full = true;
    await bob.message('pause');
    await bob.manager.cancel(bob.manager.snapshots()[0]?.id ?? 0);
    assert.equal((await transfer?.finished)?.event, 'transfer-failed');
    assert.deepEqual((await bob.folders()).partial, []);
  });
});
