/** One file to a stream: in order, with backpressure, and never taken back. */
import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import { EntryStatus } from '../../../src/protocol/frames.js';
import { RecordBlock } from '../../../src/transfer/store/block-filler.js';
import { StdoutStore } from '../../../src/transfer/store/stdout-store.js';
import type { Incoming } from '../../../src/transfer/store/store.js';
import { hashOf, MODIFIED, wantedOf } from './store-scene.js';

const listing = { first: 0, entries: [{ name: 'a', size: 6, modified: MODIFIED }], last: true };

function collected(): { out: Writable; text: () => string } {
  const chunks: Buffer[] = [];
  const out = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _encoding, done) {
      // Copied when it is passed on: the block is reused after that.
      setImmediate(() => {
        chunks.push(Buffer.from(chunk));
        done();
      });
    },
  });
  return { out, text: () => Buffer.concat(chunks).toString() };
}

function block(offset: number, text: string, hash?: string, status: EntryStatus = EntryStatus.whole): RecordBlock {
  const filler = new RecordBlock(Buffer.alloc(200));
  if (text !== '') filler.data(0, offset, Buffer.from(text));
  if (hash !== undefined) filler.end(0, status, hash);
  return filler;
}

function write(incoming: Incoming, filler: RecordBlock) {
  return incoming.write(filler.block, filler.bytes);
}

async function started(out: Writable, size: number | null = 6): Promise<{ store: StdoutStore; incoming: Incoming }> {
  const store = new StdoutStore(out);
  const incoming = await store.open(wantedOf('file', 'a', size));
  await incoming.start();
  await incoming.plan(listing);
  return { store, incoming };
}

describe('a store that passes one file on', () => {
  it('passes it on in order, and knows its hash', async () => {
    const { out, text } = collected();
    const { incoming } = await started(out);
    const reused = block(0, 'abc');
    const first = write(incoming, reused).then(() => reused.block.fill(0));
    const second = write(incoming, block(3, 'def', hashOf('abcdef')));
    await first;
    assert.deepEqual(await second, { bytes: 6, had: 0, ended: 1, full: false });
    const stored = await incoming.publish();
    assert.deepEqual([text(), stored.blake3, stored.path, stored.bytes], ['abcdef', hashOf('abcdef'), undefined, 6]);
  });

  it('waits for a reader that is slow', async () => {
    const out = new PassThrough({ highWaterMark: 1 });
    const { incoming } = await started(out);
    let done = false;
    const written = (async () => {
      await write(incoming, block(0, 'abc'));
      await write(incoming, block(3, 'def'));
      done = true;
    })();
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(done, false);
    assert.ok(incoming.busyMs > 0);
    out.resume();
    await written;
    assert.equal(incoming.busyMs, 0);
  });

  it('goes on behind what has gone out, over another link', async () => {
    const { out, text } = collected();
    const { incoming } = await started(out);
    await write(incoming, block(0, 'abc'));
    await incoming.start();
    assert.deepEqual((await incoming.plan(listing))[0]?.have, [{ entry: 0, points: [{ bytes: 3, blake3: hashOf('abc') }] }]);
    assert.deepEqual(await write(incoming, block(3, 'def', hashOf('abcdef'))), { bytes: 3, had: 3, ended: 1, full: false });
    assert.deepEqual([(await incoming.publish()).resumed, text()], [3, 'abcdef']);
  });

  for (const [what, offset, tail, hash, code] of [
    ['another beginning than what has gone out', 0, 'xyz', undefined, 'source-changed'],
    ['a gap', 4, 'ef', undefined, 'out-of-order'],
    ['more than was offered', 3, 'defg', undefined, 'size-mismatch'],
    ['less than was offered', 3, 'de', hashOf('abcde'), 'size-mismatch'],
    ['another hash', 3, 'def', hashOf('abcxyz'), 'hash-mismatch'],
  ] as const) {
    it(`fails with ${what}`, async () => {
      const { incoming } = await started(collected().out);
      await write(incoming, block(0, 'abc'));
      await incoming.start();
      await incoming.plan(listing);
      await assert.rejects(write(incoming, block(offset, tail, hash)), { code });
      await assert.rejects(incoming.publish(), { code: 'out-of-order' });
    });
  }

  it('fails where the reader is gone', async () => {
    const { out } = collected();
    const { incoming } = await started(out);
    out.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
    await assert.rejects(write(incoming, block(0, 'abc')), { code: 'write-failed' });
  });

  it('takes any length from a pipe', async () => {
    const { out, text } = collected();
    const { incoming } = await started(out, null);
    await write(incoming, block(0, 'of any length', hashOf('of any length')));
    await incoming.publish();
    assert.equal(text(), 'of any length');
  });

  it('refuses folders and a second file, but for one of which nothing has gone out', async () => {
    const { out } = collected();
    const { store, incoming } = await started(out);
    await assert.rejects(store.outlook(wantedOf('folder', 'a')), { code: 'rejected-by-policy' });
    await assert.rejects(store.open(wantedOf('file', 'b', 1)), { code: 'rejected-by-policy' });
    await incoming.discard();
    const next = await store.open(wantedOf('file', 'b', 6));
    await next.start();
    await write(next, block(0, 'a'));
    await next.discard();
    await assert.rejects(store.outlook(wantedOf('file', 'c', 1)), { code: 'rejected-by-policy' });
  });
});
