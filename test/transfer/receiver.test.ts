/** A receiver whose sender breaks the rules: the transfer fails, both are told, the session lives (HOSTILE 25, 28, 30, 31, 32). */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { blake3 } from '@napi-rs/blake-hash';
import { RemoteViolation } from '../../src/protocol/errors.js';
import { transferLimits } from '../../src/protocol/limits.js';
import { Folders, loneSide, patterned, type Side } from './harness.js';

const MiB = 1024 * 1024;
const folders = new Folders();
after(() => folders.remove());

function offer(side: Side, transfer: number, size: number, name = 'a.bin'): void {
  side.manager.handleMessage({ type: 'offer', transfer, kind: 'file', name, size });
}

/** A side that has accepted transfer 1 of `size` bytes. */
async function accepted(size: number): Promise<Side> {
  const side = await loneSide(folders);
  offer(side, 1, size);
  assert.deepEqual(await side.message('accept'), { type: 'accept', transfer: 1, offset: 0, credit: transferLimits.windowBytes });
  return side;
}

/** Both are told `code`; nothing remains of the file; the next offer is served. */
async function failed(side: Side, code: string, told: 'cancel' | 'reject' = 'cancel'): Promise<void> {
  const [event, message] = [await side.event('transfer-failed'), await side.message(told)];
  assert.deepEqual([event.code, message.code, message.transfer], [code, code, 1]);
  if (message.type === 'cancel') assert.equal(message.by, 'receiver');
  assert.deepEqual(await side.folders(), { received: [], partial: [] });
  offer(side, 2, 0, 'next');
  await side.message('accept', 2);
  side.manager.handleMessage({ type: 'done', transfer: 2, blake3: blake3('').toString('hex') });
  await side.message('verified', 2);
}

describe('a receiver', () => {
  it('publishes nothing whose hash is wrong (HOSTILE 31)', async () => {
    const side = await accepted(5);
    side.manager.handleData(1, 0, Buffer.from('hello'));
    side.manager.handleMessage({ type: 'done', transfer: 1, blake3: blake3('jello').toString('hex') });
    await failed(side, 'hash-mismatch');
  });

  it('publishes nothing that is shorter than offered (HOSTILE 28)', async () => {
    const side = await accepted(6);
    side.manager.handleData(1, 0, Buffer.from('hello'));
    side.manager.handleMessage({ type: 'done', transfer: 1, blake3: blake3('hello').toString('hex') });
    await failed(side, 'size-mismatch');
  });

  it('takes no byte more than offered (HOSTILE 28)', async () => {
    const side = await accepted(4);
    side.manager.handleData(1, 0, Buffer.from('hello'));
    await failed(side, 'size-mismatch');
  });

  it('takes no byte for an empty file', async () => {
    const side = await accepted(0);
    side.manager.handleData(1, 0, Buffer.from('x'));
    await failed(side, 'size-mismatch');
  });

  it('takes no gap', async () => {
    const side = await accepted(100);
    side.manager.handleData(1, 1, Buffer.from('x'));
    await failed(side, 'out-of-order');
  });

  it('takes no part twice', async () => {
    const side = await accepted(100);
    side.manager.handleData(1, 0, Buffer.from('xy'));
    side.manager.handleData(1, 1, Buffer.from('y'));
    await failed(side, 'out-of-order');
  });

  it('takes an offset at the end of all numbers for a gap', async () => {
    const side = await accepted(Number.MAX_SAFE_INTEGER);
    side.manager.handleData(1, Number.MAX_SAFE_INTEGER - 1, Buffer.from('x'));
    await failed(side, 'out-of-order');
  });

  it('takes nothing beyond the credit, so that its memory is bounded', async () => {
    const size = 2 * transferLimits.windowBytes;
    const stuck = new Promise<never>(() => undefined);
    const side = await loneSide(folders, {
      // A disk that does not move: no credit follows the first.
      store: (real) => ({ create: async () => Object.assign(await real.create(), { write: () => stuck }) }),
    });
    offer(side, 1, size);
    await side.message('accept');
    side.manager.handleData(1, 0, patterned(transferLimits.windowBytes));
    assert.equal(side.sent.all.some(({ type }) => type === 'credit'), false);
    side.manager.handleData(1, transferLimits.windowBytes, Buffer.from('x'));
    assert.equal((await side.message('cancel')).code, 'out-of-order');
  });

  it('takes no data before it has accepted', async () => {
    const side = await loneSide(folders, { policy: 'ask' });
    offer(side, 1, 10);
    side.manager.handleData(1, 0, Buffer.from('x'));
    assert.equal((await side.message('reject')).code, 'out-of-order');
    assert.equal((await side.event('transfer-failed')).code, 'out-of-order');
  });

  it('takes no "done" before it has accepted', async () => {
    const side = await loneSide(folders, { policy: 'ask' });
    offer(side, 1, 0);
    side.manager.handleMessage({ type: 'done', transfer: 1, blake3: blake3('').toString('hex') });
    assert.equal((await side.message('reject')).code, 'out-of-order');
    assert.deepEqual((await side.folders()).received, []);
  });

  it('gives credit in steps as it writes, never more than a window ahead', async () => {
    const side = await accepted(20 * MiB);
    const content = patterned(20 * MiB);
    for (let at = 0, credit = transferLimits.windowBytes; at < content.length; ) {
      const upTo = Math.min(credit, content.length);
      for (; at < upTo; at += 16_384) side.manager.handleData(1, at, content.subarray(at, at + 16_384));
      if (at === content.length) break;
      const seen = credit;
      const next = (await side.sent.first((one) => one.type === 'credit' && one.upTo > seen)) as { upTo: number };
      assert.ok(next.upTo - at <= transferLimits.windowBytes);
      assert.ok(next.upTo - seen >= transferLimits.creditStepBytes);
      credit = next.upTo;
    }
    side.manager.handleMessage({ type: 'done', transfer: 1, blake3: blake3(content).toString('hex') });
    await side.message('verified');
    assert.ok(content.equals(await side.read('a.bin')));
  });

  it('publishes nothing that is cancelled behind its last byte', async () => {
    const side = await accepted(5);
    side.manager.handleData(1, 0, Buffer.from('hello'));
    side.manager.handleMessage({ type: 'done', transfer: 1, blake3: blake3('hello').toString('hex') });
    side.manager.handleMessage({ type: 'cancel', transfer: 1, by: 'sender', code: 'cancelled', message: 'no' });
    assert.match((await side.event('transfer-failed')).message, /^\S+ says: "no"$/u);
    assert.deepEqual(await side.folders(), { received: [], partial: [] });
    assert.equal(side.sent.all.length, 1);
  });

  it('publishes nothing that is cancelled while it is being flushed', async () => {
    let flushing: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => (flushing = resolve));
    let flushed: () => void = () => undefined;
    const side = await loneSide(folders, {
      store: (real) => ({
        create: async () =>
          Object.assign(await real.create(), {
            flush: () => {
              flushing();
              return new Promise<void>((resolve) => (flushed = resolve));
            },
          }),
      }),
    });
    offer(side, 1, 0);
    await side.message('accept');
    side.manager.handleMessage({ type: 'done', transfer: 1, blake3: blake3('').toString('hex') });
    await reached;
    const cancelled = side.manager.cancel(1);
    flushed();
    await cancelled;
    assert.deepEqual(side.sent.all.map(({ type }) => type), ['accept', 'cancel']);
    assert.deepEqual(await side.folders(), { received: [], partial: [] });
  });

  it('refuses names that mean a path and makes the rest safe (HOSTILE 25)', async () => {
    const side = await loneSide(folders);
    for (const [n, name] of ['../x', '/x', 'C:x', '\\\\host\\x', 'a\\..\\b', '', '.', '..', 'a\0b', '\ud800', 'a:s'].entries()) {
      offer(side, n + 1, 0, name);
      assert.equal((await side.message('reject', n + 1)).code, 'bad-name');
    }
    assert.deepEqual(await side.folders(), { received: [], partial: [] });
    for (const [n, [name, safe]] of [['CON.txt', '_CON.txt'], ['x.', 'x'], ['..x', '__x'], ['\u202etxt.exe', '_txt.exe']].entries()) {
      offer(side, 100 + n, 0, name);
      await side.message('accept', 100 + n);
      side.manager.handleMessage({ type: 'done', transfer: 100 + n, blake3: blake3('').toString('hex') });
      await side.message('verified', 100 + n);
      assert.equal((await side.events.first((event) => event.event === 'transfer-done' && event.name === safe)).event, 'transfer-done');
    }
    assert.deepEqual((await side.folders()).received, ['_CON.txt', '__x', '_txt.exe', 'x']);
  });

  it('lets so many offers wait and no more, however many come (HOSTILE 32)', async () => {
    const side = await loneSide(folders, { policy: 'ask' });
    for (let n = 1; n <= 5000; n += 1) offer(side, n, 1);
    assert.equal(side.manager.snapshots().length, transferLimits.pendingOffersPerPeer);
    assert.equal((await side.message('reject', transferLimits.pendingOffersPerPeer + 1)).code, 'too-many-transfers');
    assert.equal(side.events.all.length, transferLimits.pendingOffersPerPeer);
  });

  it('lets so many run and keeps the accepted rest waiting', async () => {
    let begun = 0;
    const side = await loneSide(folders, {
      store: (real) => ({
        create: () => {
          begun += 1;
          return real.create();
        },
      }),
    });
    for (let n = 1; n <= transferLimits.activePerPeer + 2; n += 1) offer(side, n, 0, `f${n}`);
    assert.equal(begun, transferLimits.activePerPeer);
    await side.message('accept', 3);
    side.manager.handleMessage({ type: 'done', transfer: 3, blake3: blake3('').toString('hex') });
    await side.message('accept', transferLimits.activePerPeer + 1);
    assert.equal(begun, transferLimits.activePerPeer + 1);
  });
});

describe('data without a transfer (HOSTILE 30)', () => {
  it('closes the link at once where nothing was offered', async () => {
    const side = await loneSide(folders);
    assert.throws(() => side.manager.handleData(1, 0, Buffer.from('x')), (error) => error instanceof RemoteViolation && error.code === 'unexpected-message');
  });

  it('is dropped after an end for so many frames, then closes the link', async () => {
    const side = await accepted(100);
    await side.manager.cancel(1);
    for (let n = 0; n < transferLimits.strayDataFrames; n += 1) side.manager.handleData(1, 0, Buffer.from('x'));
    assert.throws(() => side.manager.handleData(1, 0, Buffer.from('x')), { code: 'unexpected-message' });
  });

  it('of a whole window, in the pieces that TLS makes, is what a cancel may cross with', async () => {
    const side = await accepted(transferLimits.windowBytes);
    await side.manager.cancel(1);
    for (let at = 0; at < transferLimits.windowBytes; at += 16_384) side.manager.handleData(1, at, Buffer.alloc(16_384));
  });

  it('ends a link that offers under a number used before', async () => {
    const side = await accepted(100);
    assert.throws(() => offer(side, 1, 5), { code: 'unexpected-message' });
    await side.manager.cancel(1);
    assert.throws(() => offer(side, 1, 5), { code: 'unexpected-message' });
  });

  it('is one thing, a late or foreign message another: that is ignored', async () => {
    const side = await loneSide(folders);
    side.manager.handleMessage({ type: 'done', transfer: 7, blake3: blake3('').toString('hex') });
    side.manager.handleMessage({ type: 'cancel', transfer: 7, by: 'sender', code: 'cancelled', message: '' });
    side.manager.handleMessage({ type: 'cancel', transfer: 7, by: 'receiver', code: 'cancelled', message: '' });
    side.manager.handleMessage({ type: 'accept', transfer: 7, offset: 0, credit: 1 });
    side.manager.handleMessage({ type: 'reject', transfer: 7, code: 'rejected', message: '' });
    side.manager.handleMessage({ type: 'credit', transfer: 7, upTo: 1 });
    side.manager.handleMessage({ type: 'verified', transfer: 7 });
    assert.deepEqual([side.sent.all, side.events.all], [[], []]);
  });

  it('holds few files open for a sender who offers and cancels without end (HOSTILE 32)', async () => {
    let open = 0;
    let most = 0;
    const side = await loneSide(folders, {
      store: (real) => ({
        async create() {
          open += 1;
          most = Math.max(most, open);
          const sink = await real.create();
          return { write: (bytes) => sink.write(bytes), flush: () => sink.flush(), publish: (name) => sink.publish(name), discard: () => sink.discard().finally(() => (open -= 1)) };
        },
      }),
    });
    for (let transfer = 1; transfer <= 500; transfer += 1) {
      offer(side, transfer, 5);
      side.manager.handleMessage({ type: 'cancel', transfer, by: 'sender', code: 'cancelled', message: '' });
    }
    offer(side, 501, 5);
    await side.message('accept', 501);
    assert.ok(most <= transferLimits.activePerPeer, `${most} files were open at once`);
    await side.manager.close('session-closed', '');
    assert.equal(open, 0);
  });
});
