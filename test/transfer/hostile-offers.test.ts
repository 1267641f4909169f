/** A sender that makes the receiver's disk work for offers that nobody has taken (HOSTILE 30). */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { transferLimits } from '../../src/protocol/limits.js';
import { loneSide, type MessageOf } from './harness.js';

function folderOffer(transfer: number): MessageOf<'offer'> {
  return { type: 'offer', transfer, kind: 'folder', name: 'd', size: 0, files: 0, counted: false, modified: 0 };
}

/** A side whose disk says how often it was asked, and answers nothing until `release`. */
async function slowDisk(t: TestContext, exists: boolean) {
  const calls = { outlook: 0, sameEntries: 0 };
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const { side, port } = await loneSide(t, {
    policy: { accept: 'ask', otherwise: 'ask' },
    store: (real) => ({
      outlook: async () => {
        calls.outlook += 1;
        if (!exists) await released;
        return { free: undefined, exists, same: false, partial: 0 };
      },
      sameEntries: async () => {
        calls.sameEntries += 1;
        await released;
        return { files: 1, bytes: 1 };
      },
      open: (wanted, events) => real.open(wanted, events),
      leftovers: () => real.leftovers(),
      removeLeftovers: (nowMs) => real.removeLeftovers(nowMs),
      close: () => real.close(),
    }),
  });
  return { side, port, calls, release };
}

describe('a sender of offers', () => {
  it('that answers what it was not asked has nothing compared', async (t) => {
    const { side, port, calls, release } = await slowDisk(t, true);
    side.manager.handleMessage(folderOffer(1));
    await port.message('survey');
    const entries = [{ name: 'a', size: 1, modified: 0 }];
    for (let first = 0; first < 1000; first += 1) side.manager.handleMessage({ type: 'surveyed', transfer: 1, first, entries, last: false });
    assert.equal(calls.sameEntries, 1);
    release();
    // The one answer that was asked for counts, and is asked on behind.
    await port.message('survey', ({ first }) => first === 1);
  });

  it('that takes them back faster than the disk is looked at is refused more', async (t) => {
    const { side, port, calls, release } = await slowDisk(t, false);
    for (let transfer = 1; transfer <= 1000; transfer += 1) {
      side.manager.handleMessage(folderOffer(transfer));
      side.manager.handleMessage({ type: 'cancel', transfer, by: 'sender', code: 'cancelled', message: '' });
    }
    assert.equal(calls.outlook, transferLimits.pendingOffersPerPeer);
    assert.equal((await port.message('reject')).code, 'too-many-transfers');
    release();
    const failed = await side.event('transfer-failed');
    assert.equal(failed.code, 'cancelled');
  });
});
