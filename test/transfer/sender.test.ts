/** A sender: what it refuses to offer, how it keeps to the credit, and what it does about a receiver or a disk that misbehaves. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFile, chmod, mkdir, readFile, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { blake3 } from '@napi-rs/blake-hash';
import { transferLimits } from '../../src/protocol/limits.js';
import { openSource, type OpenSource, type SourceHandle } from '../../src/transfer/source-file.js';
import { Folders, linkedPair, loneSide, patterned, type Side, type SideOptions } from './harness.js';

const MiB = 1024 * 1024;
const folders = new Folders();
after(() => folders.remove());

/** A side that has offered one file as transfer 1. */
async function offering(content: Uint8Array, options: SideOptions = {}): Promise<{ side: Side; path: string }> {
  const side = await loneSide(folders, options);
  const path = await side.file('a.bin', content);
  await side.manager.offerFile(path);
  return { side, path };
}

function accept(side: Side, credit: number, offset = 0): void {
  side.manager.handleMessage({ type: 'accept', transfer: 1, offset, credit });
}

/** Waits until the sender has handed `bytes` to the link, taking whatever it holds. */
async function taken(side: Side, bytes: number): Promise<void> {
  side.deliver = () => Promise.resolve();
  side.release();
  await side.data.first(({ offset, bytes: length }) => offset + length >= bytes);
}

async function failed(side: Side, code: string): Promise<void> {
  const [event, message] = [await side.event('transfer-failed'), await side.message('cancel')];
  assert.deepEqual([event.code, message.code, message.by, message.transfer], [code, code, 'sender', 1]);
  assert.deepEqual(side.manager.snapshots(), []);
  await side.manager.offerFile(await side.file('next', ''));
  side.manager.handleMessage({ type: 'accept', transfer: 2, offset: 0, credit: 0 });
  side.manager.handleMessage({ type: 'verified', transfer: (await side.message('done', 2)).transfer });
  await side.event('transfer-done');
}

describe('what cannot be offered', () => {
  it('is said before anything is sent', async () => {
    const side = await loneSide(folders);
    await mkdir(join(side.root, 'folder'));
    execFileSync('mkfifo', [join(side.root, 'pipe')]);
    const cases = [['absent', 'no-such-file'], ['folder', 'not-a-file'], ['pipe', 'not-a-file'], [join('folder', 'x', 'y'), 'no-such-file']] as const;
    for (const [name, code] of cases) await assert.rejects(side.manager.offerFile(join(side.root, name)), { code });
    await assert.rejects(side.manager.offerFile('/dev/zero'), { code: 'not-a-file' });
    assert.deepEqual([side.sent.all, side.events.all], [[], []]);
  });

  it('includes a file that may not be read', async () => {
    const denied: OpenSource = () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }));
    const side = await loneSide(folders, { openSource: denied });
    const path = await side.file('secret', 'x');
    await chmod(path, 0);
    await assert.rejects(side.manager.offerFile(path), { code: 'read-failed', message: /permission denied/u });
  });

  it('does not include names that are odd only for others', async () => {
    const side = await loneSide(folders);
    await side.manager.offerFile(await side.file('12:30\\x.txt', ''));
    assert.equal((await side.message('offer')).name, '12_30_x.txt');
  });
});

describe('a sender', () => {
  it('sends up to the credit and not a byte further', async () => {
    const content = patterned(3 * MiB);
    const { side } = await offering(content);
    accept(side, 100_000);
    await taken(side, 100_000);
    side.manager.handleMessage({ type: 'credit', transfer: 1, upTo: 100_001 });
    await taken(side, 100_001);
    assert.equal(Math.max(...side.data.all.map(({ offset, bytes }) => offset + bytes)), 100_001);
    side.manager.handleMessage({ type: 'credit', transfer: 1, upTo: Number.MAX_SAFE_INTEGER });
    assert.equal((await side.message('done')).blake3, blake3(content).toString('hex'));
    let next = 0;
    for (const { offset, bytes } of side.data.all) {
      assert.equal(offset, next);
      next += bytes;
    }
    assert.equal(next, content.length);
  });

  it('is not held back by credit that shrinks', async () => {
    const { side } = await offering(patterned(2 * MiB));
    accept(side, MiB);
    side.manager.handleMessage({ type: 'credit', transfer: 1, upTo: 2 * MiB });
    side.manager.handleMessage({ type: 'credit', transfer: 1, upTo: 5 });
    await taken(side, 2 * MiB);
    await side.message('done');
  });

  it('has little on the wire and in memory while the link takes nothing', async () => {
    const { side } = await offering(patterned(16 * MiB));
    accept(side, 16 * MiB);
    const second = await side.data.first(({ offset }) => offset >= 256 * 1024);
    assert.equal(second.bytes, 256 * 1024);
    // A file of its own passes through the same event loop and disk; had more been sent, it would show by then.
    await readFile(await side.file('other', patterned(MiB)));
    assert.ok(side.data.all.length <= 2);
  });

  it('refuses to begin anywhere but at the start (HOSTILE 29)', async () => {
    const { side } = await offering(patterned(100));
    accept(side, MiB, 1);
    await failed(side, 'out-of-order');
  });

  for (const message of [
    { type: 'verified', transfer: 1 },
    { type: 'credit', transfer: 1, upTo: 5 },
  ] as const) {
    it(`takes "${message.type}" before "accept" for an error`, async () => {
      const { side } = await offering(patterned(100));
      side.manager.handleMessage(message);
      await failed(side, 'out-of-order');
    });
  }

  it('believes no "verified" before "done"', async () => {
    const { side } = await offering(patterned(100));
    accept(side, 10);
    await taken(side, 10);
    side.manager.handleMessage({ type: 'verified', transfer: 1 });
    await failed(side, 'out-of-order');
  });

  it('takes a second "accept" for an error', async () => {
    const { side } = await offering(patterned(100));
    accept(side, 10);
    accept(side, 10);
    await failed(side, 'out-of-order');
  });

  it('keeps no more offers waiting at the peer than may wait', async () => {
    const side = await loneSide(folders);
    const path = await side.file('a', '');
    for (let n = 0; n < transferLimits.pendingOffersPerPeer + 2; n += 1) await side.manager.offerFile(path);
    assert.equal(side.sent.all.length, transferLimits.pendingOffersPerPeer);
    await side.manager.cancel(transferLimits.pendingOffersPerPeer + 1);
    assert.equal(side.sent.all.length, transferLimits.pendingOffersPerPeer, 'an offer in line ends without a word');
    side.manager.handleMessage({ type: 'reject', transfer: 5, code: 'rejected', message: 'no' });
    assert.equal((await side.message('offer', transferLimits.pendingOffersPerPeer + 2)).transfer, transferLimits.pendingOffersPerPeer + 2);
  });

  it('fails what was under way when the link is gone', async () => {
    const { side } = await offering(patterned(100));
    side.deliver = (item) => (Buffer.isBuffer(item) ? Promise.reject(new Error('gone')) : Promise.resolve());
    accept(side, MiB);
    assert.equal((await side.event('transfer-failed')).code, 'link-lost');
  });
});

describe('a source file', () => {
  it('that cannot be read any further fails its transfer on both sides, and only that (HOSTILE 34)', async () => {
    const failing: OpenSource = async (path) => {
      const handle = await openSource(path);
      if (!path.endsWith('bad')) return handle;
      const readv: SourceHandle['readv'] = (buffers, position) =>
        position < 2 * MiB ? handle.readv(buffers, position) : Promise.reject(Object.assign(new Error('bad sector'), { code: 'EIO' }));
      return { stat: () => handle.stat(), close: () => handle.close(), readv };
    };
    const { alice, bob } = await linkedPair(folders, { alice: { openSource: failing } });
    const bad = await alice.manager.offerFile(await alice.file('bad', patterned(6 * MiB)));
    const good = await alice.manager.offerFile(await alice.file('good', patterned(6 * MiB)));
    const outcome = await bad.finished;
    assert.ok(outcome.event === 'transfer-failed' && outcome.code === 'read-failed');
    assert.equal((await bob.event('transfer-failed')).code, 'read-failed');
    assert.equal((await good.finished).event, 'transfer-done');
    assert.deepEqual(await bob.folders(), { received: ['good'], partial: [] });
  });

  it('read in small portions by the system arrives all the same', async () => {
    const stingy: OpenSource = async (path) => {
      const handle = await openSource(path);
      const readv: SourceHandle['readv'] = ([first], position) => handle.readv([new Uint8Array(first!.buffer, first!.byteOffset, Math.min(9999, first!.byteLength))], position);
      return { stat: () => handle.stat(), close: () => handle.close(), readv };
    };
    const content = patterned(700_000);
    const { alice, bob } = await linkedPair(folders, { alice: { openSource: stingy } });
    await (await alice.manager.offerFile(await alice.file('a', content))).finished;
    assert.ok(content.equals(await bob.read('a')));
  });

  const changes: readonly [string, (path: string) => Promise<void>][] = [
    ['grew', (path) => appendFile(path, 'more')],
    ['shrank', (path) => truncate(path, 10)],
    ['was written to', (path) => utimes(path, 1, 1)],
    ['was exchanged for a pipe', async (path) => (await unlink(path), execFileSync('mkfifo', [path]), undefined)],
  ];
  for (const [what, change] of changes) {
    it(`that ${what} between offer and answer is not sent`, async () => {
      const { side, path } = await offering(patterned(100));
      await change(path);
      accept(side, MiB);
      await failed(side, 'source-changed');
      assert.equal(side.data.all.length, 0);
    });

    it(`that ${what} while it was sent is not called sent`, async () => {
      const { side, path } = await offering(patterned(2 * MiB));
      accept(side, MiB);
      await taken(side, MiB);
      // The open file is looked at, not the path: an exchange is no change of what is being sent.
      if (what === 'was exchanged for a pipe') await writeFile(path, 'x');
      else await change(path);
      side.manager.handleMessage({ type: 'credit', transfer: 1, upTo: 4 * MiB });
      await failed(side, 'source-changed');
      assert.equal(side.sent.all.some(({ type, transfer }) => type === 'done' && transfer === 1), false);
    });
  }

  it('that vanished between offer and answer fails its transfer', async () => {
    const { side, path } = await offering(patterned(100));
    await unlink(path);
    accept(side, MiB);
    await failed(side, 'read-failed');
  });
});
