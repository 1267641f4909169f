/** A receiver whose sender breaks the rules: the transfer ends, the session lives, no wrong byte gets a name (HOSTILE 25, 28 to 32). */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { RemoteViolation } from '../../src/protocol/errors.js';
import { transferLimits } from '../../src/protocol/limits.js';
import type { Entry } from '../../src/protocol/peer-messages.js';
import { loneSide, type MessageOf, type OpenPort, type Side } from './harness.js';

const HELLO = Buffer.from('hello');

function hash(bytes: Uint8Array): string {
  const hasher = new Blake3Hasher();
  hasher.update(bytes);
  return hasher.digest('hex');
}

function fileOffer(transfer: number, name = 'a', size: number | null = HELLO.length): MessageOf<'offer'> {
  return { type: 'offer', transfer, kind: 'file', name, size, files: 1, counted: true, modified: 0 };
}

function folderOffer(transfer: number, name = 'd'): MessageOf<'offer'> {
  return { type: 'offer', transfer, kind: 'folder', name, size: 0, files: 0, counted: false, modified: 0 };
}

/** A file that is offered, accepted and planned. */
async function running(t: TestContext, offer = fileOffer(1)): Promise<{ side: Side; port: OpenPort }> {
  const { side, port } = await loneSide(t);
  side.manager.handleMessage(offer);
  await port.message('plan');
  return { side, port };
}

/** A folder that is offered, accepted, and listed as `entries`. */
async function listed(t: TestContext, entries: Entry[], last = true): Promise<{ side: Side; port: OpenPort }> {
  const { side, port } = await loneSide(t);
  side.manager.handleMessage(folderOffer(1));
  await port.message('accept');
  side.manager.handleMessage({ type: 'entries', transfer: 1, first: 0, entries, last });
  return { side, port };
}

async function endsWith(at: { side: Side; port: OpenPort }, code: string): Promise<void> {
  const failed = await at.side.event('transfer-failed');
  assert.equal(failed.code, code);
  const cancel = await at.port.message('cancel');
  assert.deepEqual([cancel.by, cancel.code], ['receiver', code]);
  assert.deepEqual((await at.side.folders()).received, []);
}

describe('a sender of a file', () => {
  it('that keeps the rules is served', async (t) => {
    const { side, port } = await running(t);
    side.manager.handleData(1, 0, 0, HELLO, true);
    side.manager.handleEntryEnd(1, 0, 0, hash(HELLO));
    assert.deepEqual(await port.message('verified'), { type: 'verified', transfer: 1, same: 0, refused: 0 });
    assert.equal(String(await side.read('a')), 'hello');
  });

  const wrong: [string, string, (side: Side) => void][] = [
    ['names another hash in the end', 'hash-mismatch', ({ manager }) => {
      manager.handleData(1, 0, 0, HELLO, true);
      manager.handleEntryEnd(1, 0, 0, hash(Buffer.from('other')));
    }],
    ['sends less than it offered', 'size-mismatch', ({ manager }) => {
      manager.handleData(1, 0, 0, HELLO.subarray(1), true);
      manager.handleEntryEnd(1, 0, 0, hash(HELLO.subarray(1)));
    }],
    ['sends more than it offered', 'size-mismatch', ({ manager }) => {
      manager.handleData(1, 0, 0, Buffer.concat([HELLO, HELLO]), true);
      manager.handleEntryEnd(1, 0, 0, hash(HELLO));
    }],
    ['leaves a gap', 'out-of-order', ({ manager }) => {
      manager.handleData(1, 0, 0, HELLO.subarray(0, 1), true);
      manager.handleData(1, 0, 2, HELLO.subarray(2), true);
      manager.handleEntryEnd(1, 0, 0, hash(HELLO));
    }],
    ['begins at an offset that it was not asked for', 'out-of-order', ({ manager }) => {
      manager.handleData(1, 0, 3, HELLO.subarray(3), true);
      manager.handleEntryEnd(1, 0, 0, hash(HELLO));
    }],
    ['sends an entry that there is not', 'out-of-order', ({ manager }) => manager.handleData(1, 1, 0, HELLO, true)],
    ['ends an entry that there is not', 'out-of-order', ({ manager }) => manager.handleEntryEnd(1, 1, 0, hash(HELLO))],
    ['lists a file as if it were a folder', 'bad-listing', ({ manager }) => manager.handleMessage({ type: 'entries', transfer: 1, first: 0, entries: [], last: true })],
    ['counts on', 'out-of-order', ({ manager }) => manager.handleMessage({ type: 'tally', transfer: 1, size: 1, files: 1, counted: true })],
  ];
  for (const [what, code, act] of wrong) {
    it(`that ${what} ends its transfer`, async (t) => {
      const at = await running(t);
      act(at.side);
      await endsWith(at, code);
    });
  }

  it('that sends more than it was allowed to ends its transfer', async (t) => {
    const at = await running(t, fileOffer(1, 'a', 100 * transferLimits.windowBytes));
    const { credit } = await at.port.message('accept');
    const chunk = Buffer.alloc(256 * 1024);
    // In one turn of the event loop nothing is written and nothing granted.
    for (let offset = 0; offset + chunk.length <= credit; offset += chunk.length) at.side.manager.handleData(1, 0, offset, chunk, true);
    await endsWith(at, 'out-of-order');
  });

  it('whose frames are on their way when its transfer ends is forgiven, up to its credit', async (t) => {
    const { side, port } = await running(t, fileOffer(1, 'a', 100 * transferLimits.windowBytes));
    await side.manager.cancel((await side.event('offer')).id);
    const { credit } = await port.message('accept');
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    assert.throws(
      () => {
        for (let offset = 0; ; offset += chunk.length, sent += chunk.length) side.manager.handleData(1, 0, offset, chunk, true);
      },
      (error) => error instanceof RemoteViolation && error.code === 'unexpected-message',
    );
    assert.ok(sent <= credit && sent > credit - 2 * chunk.length, `${sent}`);
  });

  it('that sends data for what it never offered breaks the link', async (t) => {
    const { side } = await loneSide(t);
    assert.throws(() => side.manager.handleData(7, 0, 0, HELLO, true), RemoteViolation);
    assert.throws(() => side.manager.handleEntryEnd(7, 0, 0, hash(HELLO)), RemoteViolation);
  });

  it('that sends data before the answer ends its transfer', async (t) => {
    const { side, port } = await loneSide(t, { policy: { accept: 'ask' } });
    side.manager.handleMessage(fileOffer(1));
    side.manager.handleData(1, 0, 0, HELLO, true);
    assert.equal((await port.message('reject')).code, 'out-of-order');
  });

  it('that uses a number twice breaks the link', async (t) => {
    const { side } = await running(t);
    assert.throws(() => side.manager.handleMessage(fileOffer(1)), RemoteViolation);
    assert.throws(() => side.manager.handleMessage(fileOffer(1, 'b')), RemoteViolation);
  });

  it('that offers an ended number again on the same link breaks it', async (t) => {
    const { side, port } = await loneSide(t, { policy: { accept: 'none' } });
    side.manager.handleMessage(fileOffer(1));
    await port.message('reject');
    await side.event('transfer-failed');
    assert.throws(() => side.manager.handleMessage(fileOffer(1)), RemoteViolation);
  });

  it('that offers another thing under a number of an earlier link breaks the new one', async (t) => {
    const { side, port } = await running(t);
    side.manager.detach();
    side.manager.attach(port, 'continued');
    assert.throws(() => side.manager.handleMessage(fileOffer(1, 'b')), RemoteViolation);
  });

  it('that makes its file larger on another link is refused: nobody agreed to that', async (t) => {
    const at = await running(t);
    at.side.manager.detach();
    at.side.manager.attach(at.port, 'continued');
    at.side.manager.handleMessage(fileOffer(1, 'a', 2 ** 40));
    await endsWith(at, 'source-changed');
  });

  for (const name of ['', '.', '..', '../x', '/etc/passwd', 'C:x', 'a\\..\\b', 'a\0b', '\ud800', 'a:s']) {
    it(`that offers ${JSON.stringify(name)} is refused`, async (t) => {
      const { side, port } = await loneSide(t);
      side.manager.handleMessage(fileOffer(1, name));
      assert.equal((await port.message('reject')).code, 'bad-name');
      assert.equal((await side.event('transfer-failed')).code, 'bad-name');
    });
  }

  it('that offers a million files is refused beyond what may wait', async (t) => {
    const { side, port } = await loneSide(t, { policy: { accept: 'ask' } });
    for (let transfer = 1; transfer <= 1_000_000; transfer += 1) {
      side.manager.handleMessage(fileOffer(transfer, `f${transfer}`));
      if (transfer % 1000 === 0) port.sent.all.length = 0;
    }
    assert.equal(side.manager.snapshots().length, transferLimits.pendingOffersPerPeer);
  });
});

describe('a sender of a folder', () => {
  it('that keeps the rules is served', async (t) => {
    const { side, port } = await listed(t, [{ name: 'a', size: 5, modified: 0 }, { folder: ['x'], modified: 0 }, { name: 'b', size: 0, modified: 0 }]);
    await port.message('plan');
    side.manager.handleData(1, 0, 0, HELLO, true);
    side.manager.handleEntryEnd(1, 0, 0, hash(HELLO));
    side.manager.handleEntryEnd(1, 2, 0, hash(Buffer.alloc(0)));
    assert.deepEqual(await port.message('verified'), { type: 'verified', transfer: 1, same: 0, refused: 0 });
    assert.equal(String(await side.read('d/a')), 'hello');
    assert.equal((await side.read('d/x/b')).length, 0);
  });

  const a = { name: 'a', size: 5, modified: 0 };
  const bad: [string, Entry[]][] = [
    ['a folder before its parent', [{ folder: ['x', 'y'], modified: 0 }]],
    ['a folder twice', [{ folder: ['x'], modified: 0 }, { folder: ['x'], modified: 0 }]],
    ['a path of too many bytes', Array.from({ length: 12 }, (_, n) => ({ folder: Array.from({ length: n + 1 }, (_unused, m) => `${m}`.repeat(200).slice(0, 200)), modified: 0 }))],
  ];
  for (const [what, entries] of bad) {
    it(`that lists ${what} ends its transfer`, async (t) => endsWith(await listed(t, entries), 'bad-listing'));
  }

  it('that lists from the middle ends its transfer', async (t) => {
    const { side, port } = await loneSide(t);
    side.manager.handleMessage(folderOffer(1));
    await port.message('accept');
    side.manager.handleMessage({ type: 'entries', transfer: 1, first: 5, entries: [a], last: true });
    await endsWith({ side, port }, 'bad-listing');
  });

  it('that lists on behind the last ends its transfer', async (t) => {
    const at = await listed(t, [a]);
    at.side.manager.handleMessage({ type: 'entries', transfer: 1, first: 1, entries: [a], last: true });
    await endsWith(at, 'bad-listing');
  });

  it('that lists nothing, and on and on, ends its transfer', async (t) => {
    const at = await listed(t, [a], false);
    at.side.manager.handleMessage({ type: 'entries', transfer: 1, first: 1, entries: [], last: false });
    await endsWith(at, 'bad-listing');
  });

  it('that lists folders faster than they can be made ends its transfer', async (t) => {
    const { side, port } = await loneSide(t);
    side.manager.handleMessage(folderOffer(1));
    await port.message('accept');
    for (let first = 0; first <= transferLimits.entriesAhead; first += 1) {
      side.manager.handleMessage({ type: 'entries', transfer: 1, first, entries: [{ folder: [`${first}`], modified: 0 }], last: false });
    }
    await endsWith({ side, port }, 'bad-listing');
  });

  it('that lists ever more folders behind a file that never ends, ends its transfer', async (t) => {
    const { side, port } = await listed(t, [a], false);
    for (let first = 1; first <= 2 * transferLimits.entriesAhead && side.manager.snapshots().length > 0; first += 64) {
      const folders = Array.from({ length: 64 }, (_, n) => ({ folder: [`${first + n}`], modified: 0 }));
      side.manager.handleMessage({ type: 'entries', transfer: 1, first, entries: folders, last: false });
      if (side.manager.snapshots().length > 0) await port.message('plan', (plan) => plan.first + plan.count === first + 64);
    }
    assert.deepEqual(side.manager.snapshots(), []);
    await endsWith({ side, port }, 'bad-listing');
  });

  it('that lists further ahead than it may ends its transfer', async (t) => {
    const { side, port } = await loneSide(t);
    side.manager.handleMessage(folderOffer(1));
    await port.message('accept');
    const count = transferLimits.entriesPerMessage;
    for (let first = 0; first <= transferLimits.entriesAhead; first += count) {
      const entries = Array.from({ length: count }, (_, n) => ({ name: `${first + n}`, size: 1, modified: 0 }));
      side.manager.handleMessage({ type: 'entries', transfer: 1, first, entries, last: false });
    }
    await endsWith({ side, port }, 'bad-listing');
  });

  it('that names paths inside it gets none of them', async (t) => {
    const { side, port } = await listed(t, [
      { name: '../a', size: 5, modified: 0 },
      { name: '..', size: 5, modified: 0 },
      { folder: ['..'], modified: 0 },
      { name: 'in it', size: 5, modified: 0 },
      { folder: ['ok'], modified: 0 },
      { name: 'b', size: 5, modified: 0 },
    ]);
    const { skip } = await port.message('plan');
    assert.deepEqual(skip, [0, 1, 2, 3]);
    side.manager.handleData(1, 5, 0, HELLO, true);
    side.manager.handleEntryEnd(1, 5, 0, hash(HELLO));
    assert.equal((await port.message('verified')).refused, 4);
    assert.equal(String(await side.read('d/ok/b')), 'hello');
    assert.deepEqual((await side.folders()).received, ['d']);
  });

  it('that cannot read a file any more says so, and the others arrive', async (t) => {
    const { side, port } = await listed(t, [a, { ...a, name: 'b' }]);
    await port.message('plan');
    side.manager.handleData(1, 0, 0, HELLO.subarray(0, 2), true);
    side.manager.handleEntryEnd(1, 0, 1, '0'.repeat(64));
    side.manager.handleData(1, 1, 0, HELLO, true);
    side.manager.handleEntryEnd(1, 1, 0, hash(HELLO));
    assert.equal((await port.message('verified')).refused, 1);
    assert.equal(String(await side.read('d/b')), 'hello');
    await assert.rejects(side.read('d/a'), { code: 'ENOENT' });
  });
});
