/** The store through its thread: what an offer looks like, several transfers at once, a full disk, what is left over. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { EntryStatus } from '../../../src/protocol/frames.js';
import { timeLimits } from '../../../src/protocol/limits.js';
import { RECEIVE_BLOCK_BYTES, RecordBlock } from '../../../src/transfer/store/block-filler.js';
import { ReceiveStore } from '../../../src/transfer/store/receive-store.js';
import { inOneGo } from '../../../src/transfer/store/steps.js';
import type { Incoming, Wanted } from '../../../src/transfer/store/store.js';
import { entriesOf, hashOf, MODIFIED, Scene, wantedOf } from './store-scene.js';

let scene: Scene;
let store: ReceiveStore;
const events = { onNote: (path: string, note: string) => scene.notes.push(`${path}: ${note}`) };
beforeEach(() => {
  scene = new Scene();
  store = new ReceiveStore({ received: scene.received, partial: scene.partial });
});
afterEach(async () => {
  await store.close();
  await store.close();
  scene.remove();
});

function sharedBlock(): RecordBlock {
  return new RecordBlock(Buffer.from(new SharedArrayBuffer(RECEIVE_BLOCK_BYTES)));
}

/** Writes `bytes` from `from` on, and its end unless it is cut. */
async function sendFile(incoming: Incoming, bytes: Buffer, { from = 0, cut = false } = {}): Promise<void> {
  const written: Promise<unknown>[] = [];
  for (let at = from; at < bytes.length; ) {
    const filler = sharedBlock();
    at += filler.data(0, at, bytes.subarray(at));
    written.push(incoming.write(filler.block, filler.bytes));
  }
  const filler = sharedBlock();
  if (!cut) filler.end(0, EntryStatus.whole, hashOf(bytes));
  written.push(incoming.write(filler.block, filler.bytes));
  await Promise.all(written);
}

async function openFile(wanted: Wanted) {
  const incoming = await store.open(wanted, events);
  await incoming.start();
  const plans = await incoming.plan({ first: 0, entries: [{ name: wanted.name, size: wanted.size ?? 0, modified: MODIFIED }], last: true });
  return { incoming, plans };
}

describe('a receive store', () => {
  it('takes several transfers at once, each whole', async () => {
    const contents = Array.from({ length: 6 }, (_, n) => Buffer.alloc(700_000 + n, String(n)));
    const paths = await Promise.all(
      contents.map(async (bytes, n) => {
        const { incoming } = await openFile(wantedOf('file', `file ${n}`, bytes.length));
        await sendFile(incoming, bytes);
        return (await incoming.publish()).path!;
      }),
    );
    for (const [n, path] of paths.entries()) assert.ok(readFileSync(path).equals(contents[n]!));
    assert.deepEqual(readdirSync(scene.partial), []);
  });

  it('forgets what it was looking at for an earlier link', async () => {
    // Hashed in several steps, between which the next link comes.
    const bytes = Buffer.alloc(40 * 1024 * 1024, 'link');
    const wanted = wantedOf('file', 'a', bytes.length);
    const first = await openFile(wanted);
    await sendFile(first.incoming, bytes.subarray(0, 39 * 1024 * 1024), { cut: true });
    await first.incoming.keep();
    const listing = { first: 0, entries: [{ name: 'a', size: bytes.length, modified: MODIFIED }], last: true };
    const incoming = await store.open(wanted, events);
    await incoming.start();
    const late = incoming.plan(listing).catch(() => undefined);
    await incoming.start();
    const [plan] = await incoming.plan(listing);
    await late;
    await sendFile(incoming, bytes, { from: plan?.have[0]?.points.at(-1)?.bytes ?? 0 });
    assert.ok(readFileSync((await incoming.publish()).path!).equals(bytes));
  });

  it('keeps and continues, and tells of what is there before it is taken', async () => {
    const bytes = Buffer.alloc(900_000, 'keep');
    const wanted = wantedOf('file', 'a', bytes.length);
    const before = await store.outlook(wanted);
    assert.deepEqual({ ...before, free: undefined }, { free: undefined, exists: false, same: false, partial: 0 });
    assert.ok(before.free !== undefined && before.free > 0);
    const first = await openFile(wanted);
    await sendFile(first.incoming, bytes.subarray(0, 400_000), { cut: true });
    assert.equal((await store.outlook(wanted)).partial, 0, 'in use');
    await first.incoming.keep();
    assert.equal((await store.outlook(wanted)).partial, 400_000);
    assert.equal((await store.outlook({ ...wanted, fingerprint: 'SHA256:mallory' })).partial, 0);
    const { incoming, plans } = await openFile(wanted);
    assert.equal(plans[0]?.have[0]?.points.at(-1)?.bytes, 400_000);
    await sendFile(incoming, bytes, { from: 400_000 });
    assert.equal((await incoming.publish()).resumed, 400_000);
    await incoming.keep();
    await incoming.discard();
    const after = await store.outlook(wanted);
    assert.deepEqual([after.exists, after.same, after.partial], [true, true, 0]);
  });

  it('counts the files of a folder that seem to be there', async () => {
    const tree = { a: 'a', 'sub/b': 'bb', 'sub/c': 'ccc' };
    await scene.folder('top', tree);
    writeFileSync(join(scene.received, 'top/sub/c'), 'other');
    const { entries } = entriesOf({ ...tree, new: 'n' });
    const wanted = wantedOf('folder', 'top');
    const one = await store.sameEntries(wanted, { first: 0, entries: entries.slice(0, 3), last: false });
    const two = await store.sameEntries(wanted, { first: 3, entries: entries.slice(3), last: true });
    assert.deepEqual([one.files + two.files, one.bytes + two.bytes], [2, 3]);
  });

  it('carries failures and notes across, and does not mind a transfer that has ended', async () => {
    const incoming = await store.open(wantedOf('folder', 'top'), events);
    await incoming.start();
    await assert.rejects(incoming.plan({ first: 5, entries: [], last: true }), { code: 'bad-listing', name: 'TransferFailure' });
    await incoming.start();
    await incoming.plan({ first: 0, entries: [{ name: 'a:b', size: 1, modified: 0 }, { folder: ['f'], modified: 0 }], last: true });
    assert.deepEqual([incoming.ended, scene.notes], [2, ['a:b: has a name that cannot be used']]);
    await incoming.discard();
    await assert.rejects(incoming.publish(), { code: 'cancelled' });
    assert.deepEqual(readdirSync(scene.partial), []);
  });

  it('refuses everything once it is closed', async () => {
    await store.leftovers();
    const waiting = store.leftovers();
    const rejected = assert.rejects(waiting, { code: 'write-failed' });
    await store.close();
    await rejected;
    await assert.rejects(store.leftovers(), { code: 'write-failed' });
  });
});

describe('leftovers', () => {
  const begin = async (name: string) => {
    const { incoming } = await openFile(wantedOf('file', name, 100));
    await sendFile(incoming, Buffer.alloc(40), { cut: true });
    return incoming;
  };
  const age = (days: number) => {
    const time = (Date.now() - days * 24 * 60 * 60 * 1000) / 1000;
    for (const name of readdirSync(scene.partial)) utimesSync(join(scene.partial, name, 'lock'), time, time);
  };

  it('are listed when nobody has them any more', async () => {
    const incoming = await begin('a');
    assert.deepEqual(await store.leftovers(), []);
    await incoming.keep();
    const [one, ...rest] = await store.leftovers();
    assert.deepEqual(rest, []);
    assert.deepEqual([one?.peer, one?.kind, one?.name, one?.bytes, one?.size], ['alice', 'file', 'a', 40, 100]);
    assert.equal(one!.removedMs - one!.lastMs, timeLimits.partialKeptMs);
    assert.ok(Math.abs(one!.lastMs - Date.now()) < 60_000);
  });

  it('are removed after their time, and not before or while in use', async () => {
    await (await begin('a')).keep();
    age(29);
    await store.removeLeftovers(Date.now());
    assert.equal((await store.leftovers()).length, 1);
    age(31);
    const used = await begin('b');
    await store.removeLeftovers(Date.now());
    assert.deepEqual([await store.leftovers(), readdirSync(scene.partial).length], [[], 1]);
    await used.discard();
  });

  it('whose description is damaged are continued all the same, and removed after their time (HOSTILE 36)', async () => {
    await (await begin('a')).keep();
    const about = join(scene.partial, readdirSync(scene.partial)[0]!, 'about.json');
    writeFileSync(about, '{"peer":');
    assert.deepEqual(await store.leftovers(), []);
    const { incoming, plans } = await openFile(wantedOf('file', 'a', 100));
    assert.equal(plans[0]?.have.length, 1);
    await incoming.keep();
    writeFileSync(about, 'x'.repeat(100_000));
    age(31);
    await store.removeLeftovers(Date.now());
    assert.deepEqual(readdirSync(scene.partial), []);
  });

  it('of earlier versions go after a day, and nothing else does', () => {
    mkdirSync(scene.partial);
    const names = [`${'a'.repeat(32)}.part`, `${'b'.repeat(32)}.part`, 'notes.txt'];
    for (const name of names) writeFileSync(join(scene.partial, name), 'x');
    for (const name of [names[0]!, names[2]!]) utimesSync(join(scene.partial, name), 1, 1);
    inOneGo(scene.store().removeLeftovers(Date.now()));
    assert.deepEqual(readdirSync(scene.partial).sort(), [names[1]!, names[2]!]);
  });
});
