/** A single file at the receiver's disk: written, continued, compared, named (HOSTILE 26 to 29, 31, 33). */
import assert from 'node:assert/strict';
import { chmodSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { EntryStatus } from '../../../src/protocol/frames.js';
import { RecordBlock } from '../../../src/transfer/store/block-filler.js';
import { systemDisk } from '../../../src/transfer/store/disk.js';
import { inOneGo } from '../../../src/transfer/store/steps.js';
import { diskWith, hashOf, MODIFIED, Scene, send, systemError, wantedOf } from './store-scene.js';

const noLinks = diskWith((call) => (call === 'link' ? systemError('EPERM') : undefined));

describe('a single file', () => {
  let scene: Scene;
  beforeEach(() => {
    scene = new Scene();
  });
  afterEach(() => scene.remove());

  const entry = (size: number) => [{ name: 'a.txt', size, modified: MODIFIED }];
  /** Sends the first `bytes` bytes of a file; then the program is gone. */
  function begin(content: Buffer, bytes: number): void {
    const place = scene.open(wantedOf('file', 'a.txt', content.length));
    send(place, entry(content.length), new Map([[0, content]]), { stopAfter: bytes, pieceBytes: Math.ceil(bytes / 4) });
    place.keep();
  }
  const contentPath = () => join(scene.partial, readdirSync(scene.partial)[0]!, 'content');

  it('gets its bytes, its time, and no right but for its owner', async () => {
    const stored = await scene.file('run.sh', '#!/bin/sh');
    assert.deepEqual({ ...stored, path: undefined }, { path: undefined, files: 1, bytes: 9, same: 0, refused: 0, resumed: 0, blake3: hashOf('#!/bin/sh') });
    assert.equal(stored.path, join(scene.received, 'run.sh'));
    assert.equal(statSync(stored.path).mode & 0o777, 0o600);
    assert.equal(statSync(stored.path).mtimeMs, MODIFIED);
    assert.deepEqual(scene.partials(), []);
    for (const folder of [scene.received, scene.partial]) assert.equal(statSync(folder).mode & 0o777, 0o700);
  });

  it('may be empty', async () => {
    await scene.file('empty', '');
    assert.deepEqual(scene.found(), { empty: '' });
  });

  it('closes a folder of partials that stood open to others', async () => {
    mkdirSync(scene.partial);
    chmodSync(scene.partial, 0o777);
    await scene.file('a', 'x');
    assert.equal(statSync(scene.partial).mode & 0o777, 0o700);
  });

  for (const [kind, disk] of [['with', systemDisk], ['without', noLinks]] as const) {
    it(`never replaces another, on a file system ${kind} hard links (HOSTILE 26)`, async () => {
      for (const text of ['one', 'two', 'three']) await scene.file('a.txt', text, disk);
      assert.deepEqual(scene.found(), { 'a.txt': 'one', 'a (1).txt': 'two', 'a (2).txt': 'three' });
    });
  }

  it('that is there already is said to be, under whatever number, and nothing is stored', async () => {
    for (const text of ['one', 'two']) {
      await scene.file('a.txt', text);
      utimesSync(join(scene.received, 'a.txt'), 1, 1);
    }
    const place = scene.open(wantedOf('file', 'a.txt', 3));
    const sent = send(place, entry(3), new Map([[0, Buffer.from('two')]]));
    const stored = await place.publish();
    assert.deepEqual([sent.bytes, stored.same, stored.path, stored.resumed], [0, 1, join(scene.received, 'a.txt').replace('a.', 'a (1).'), 3]);
    assert.deepEqual(Object.keys(scene.found()).length, 2);
    assert.deepEqual(scene.partials(), []);
  });

  it('that came although it is there does not get a second name', async () => {
    const place = scene.open(wantedOf('file', 'a.txt', 3));
    const other = scene.open(wantedOf('file', 'a.txt', 3));
    for (const one of [place, other]) send(one, entry(3), new Map([[0, Buffer.from('one')]]));
    assert.equal((await place.publish()).same, 0);
    assert.equal((await other.publish()).same, 1);
    assert.deepEqual(scene.found(), { 'a.txt': 'one' });
  });

  it('that was changed there after it was compared is not called the same', async () => {
    await scene.file('a.txt', 'one');
    const place = scene.open(wantedOf('file', 'a.txt', 3));
    place.start();
    inOneGo(place.plan({ first: 0, entries: entry(3), last: true }));
    writeFileSync(join(scene.received, 'a.txt'), 'eno');
    const filler = new RecordBlock(Buffer.alloc(100));
    filler.end(0, EntryStatus.whole, hashOf('one'));
    assert.throws(() => place.write(filler.block, filler.bytes), { code: 'write-failed' });
    await place.discard();
  });

  it('goes on in another run where it stopped', async () => {
    const content = Buffer.from('0123456789'.repeat(1000));
    begin(content, 4000);
    const place = scene.open(wantedOf('file', 'a.txt', content.length));
    const sent = send(place, entry(content.length), new Map([[0, content]]));
    const stored = await place.publish();
    assert.deepEqual([sent.bytes, stored.resumed], [6000, 4000]);
    assert.ok(readFileSync(stored.path!).equals(content));
  });

  it('goes on over another link of the same run without being read again', async () => {
    const content = Buffer.from('0123456789'.repeat(1000));
    let reads = 0;
    const disk = diskWith((call) => {
      if (call === 'read') reads += 1;
      return undefined;
    });
    const place = scene.open(wantedOf('file', 'a.txt', content.length), disk);
    send(place, entry(content.length), new Map([[0, content]]), { stopAfter: 4000, pieceBytes: 1000 });
    const sent = send(place, entry(content.length), new Map([[0, content]]));
    await place.publish();
    assert.deepEqual([sent.bytes, reads], [6000, 0]);
  });

  it('begins anew where the source is another now (HOSTILE 29)', async () => {
    begin(Buffer.from('old'.repeat(1000)), 1000);
    await scene.file('a.txt', 'new'.repeat(1000));
    assert.deepEqual(scene.found(), { 'a.txt': 'new'.repeat(1000) });
  });

  it('begins anew where what was kept is longer than what is sent (HOSTILE 29)', async () => {
    begin(Buffer.from('old'.repeat(1000)), 2000);
    await scene.file('a.txt', 'old');
    assert.deepEqual(scene.found(), { 'a.txt': 'old' });
  });

  it('goes on from a shorter point where the end was torn by a power cut', () => {
    const MiB = 1024 * 1024;
    const content = Buffer.alloc(40 * MiB, 'x');
    const place = scene.open(wantedOf('file', 'a.txt', 41 * MiB));
    send(place, entry(41 * MiB), new Map([[0, Buffer.concat([content, Buffer.alloc(MiB)])]]), { stopAfter: 40 * MiB });
    place.keep();
    truncateSync(contentPath(), 39 * MiB);
    truncateSync(contentPath(), 40 * MiB);
    const next = scene.open(wantedOf('file', 'a.txt', 41 * MiB));
    const sent = send(next, entry(41 * MiB), new Map([[0, Buffer.concat([content, Buffer.alloc(MiB)])]]));
    assert.deepEqual([sent.complete, sent.bytes], [true, 33 * MiB]);
    next.keep();
  });

  it('keeps nothing of a longer one of which it has only the beginning', async () => {
    const MiB = 1024 * 1024;
    begin(Buffer.alloc(40 * MiB, 'x'), 40 * MiB);
    const now = Buffer.concat([Buffer.alloc(8 * MiB, 'x'), Buffer.alloc(31 * MiB, 'y')]);
    const stored = await scene.file('a.txt', now);
    assert.ok(readFileSync(stored.path!).equals(now));
    assert.equal(stored.resumed, 7 * MiB);
  });

  it('that the same peer sends twice at once comes twice', async () => {
    const one = scene.open(wantedOf('file', 'a.txt', 3));
    const other = scene.open(wantedOf('file', 'a.txt', 3));
    send(one, entry(3), new Map([[0, Buffer.from('one')]]));
    send(other, entry(3), new Map([[0, Buffer.from('two')]]));
    await one.publish();
    await other.publish();
    assert.deepEqual(scene.found(), { 'a.txt': 'one', 'a (1).txt': 'two' });
  });

  for (const [what, bytes, hash, code] of [
    ['less than listed', 'ab', hashOf('ab'), 'size-mismatch'],
    ['more than listed', 'abcd', hashOf('abcd'), 'size-mismatch'],
    ['another hash (HOSTILE 31)', 'abc', hashOf('xyz'), 'hash-mismatch'],
  ] as const) {
    it(`with ${what} fails, and nothing of it is published or offered again`, async () => {
      const place = scene.open(wantedOf('file', 'a.txt', 3));
      place.start();
      inOneGo(place.plan({ first: 0, entries: entry(3), last: true }));
      const filler = new RecordBlock(Buffer.alloc(100));
      filler.data(0, 0, Buffer.from(bytes));
      filler.end(0, EntryStatus.whole, hash);
      assert.throws(() => place.write(filler.block, filler.bytes), { code });
      await assert.rejects(place.publish(), { code: 'out-of-order' });
      await place.discard();
      assert.deepEqual([scene.found(), scene.partials()], [{}, []]);
    });
  }

  for (const [what, entryNumber, offset] of [['at an offset that was not offered', 0, 5], ['for an entry that was not listed', 1, 0]] as const) {
    it(`refuses data ${what} (HOSTILE 29, 30)`, () => {
      const place = scene.open(wantedOf('file', 'a.txt', 30));
      place.start();
      inOneGo(place.plan({ first: 0, entries: entry(30), last: true }));
      const filler = new RecordBlock(Buffer.alloc(100));
      filler.data(entryNumber, offset, Buffer.from('abc'));
      assert.throws(() => place.write(filler.block, filler.bytes), { code: 'out-of-order' });
      place.keep();
    });
  }

  it('takes any length where none was listed, for a pipe', async () => {
    const place = scene.open(wantedOf('file', 'pipe', null));
    send(place, [{ name: 'pipe', size: 0, modified: 0 }], new Map([[0, Buffer.from('whatever comes')]]));
    await place.publish();
    assert.deepEqual(scene.found(), { pipe: 'whatever comes' });
  });

  it('does not write into a published file when the program was killed between its two names', async () => {
    const content = Buffer.from('0123456789');
    begin(content, 10);
    mkdirSync(scene.received, { recursive: true });
    linkSync(contentPath(), join(scene.received, 'a.txt'));
    // The source has grown since.
    await scene.file('a.txt', '0123456789 and more');
    assert.deepEqual(scene.found(), { 'a.txt': '0123456789', 'a (1).txt': '0123456789 and more' });
  });

  it('is recognised under the name that it got before the program was killed', async () => {
    await scene.file('a.txt', 'another');
    begin(Buffer.from('0123456789'), 10);
    linkSync(contentPath(), join(scene.received, 'a (1).txt'));
    const stored = await scene.file('a.txt', '0123456789');
    assert.equal(stored.path, join(scene.received, 'a (1).txt'));
    assert.deepEqual([Object.keys(scene.found()).length, scene.partials()], [2, []]);
  });

  it('is not published where a failed flush lost some of it', async () => {
    const disk = diskWith((call) => (call === 'flush' ? systemError('EIO') : undefined));
    const content = Buffer.alloc(40 * 1024 * 1024, 'x');
    const place = scene.open(wantedOf('file', 'a.txt', content.length), disk);
    send(place, entry(content.length), new Map([[0, content]]));
    await assert.rejects(place.publish(), { code: 'write-failed' });
    place.keep();
    assert.deepEqual(scene.found(), {});
    assert.equal(scene.partials().some((one) => one.endsWith('content')), false);
  });
});

describe('symbolic links around a single file (HOSTILE 27)', () => {
  let scene: Scene;
  let elsewhere: string;
  beforeEach(() => {
    scene = new Scene();
    elsewhere = scene.make('elsewhere');
  });
  afterEach(() => {
    assert.deepEqual(readdirSync(elsewhere), []);
    scene.remove();
  });
  const swap = (path: string) => {
    renameSync(path, `${path}.moved`);
    symlinkSync(elsewhere, path);
  };

  it('under its name: not followed, not replaced', async () => {
    scene.make('received');
    symlinkSync(join(elsewhere, 'victim'), join(scene.received, 'a.txt'));
    assert.equal((await scene.file('a.txt', 'text')).path, join(scene.received, 'a (1).txt'));
    assert.ok(lstatSync(join(scene.received, 'a.txt')).isSymbolicLink());
  });

  for (const which of ['received', 'partial'] as const) {
    it(`in place of the folder "${which}": refused`, () => {
      symlinkSync(elsewhere, scene[which]);
      assert.throws(() => scene.open(wantedOf('file', 'a.txt', 1)), { code: 'write-failed' });
    });
  }

  it('in place of the partial folder: another is taken', async () => {
    const place = scene.open(wantedOf('file', 'a.txt', 4));
    place.keep();
    swap(join(scene.partial, readdirSync(scene.partial)[0]!));
    await scene.file('a.txt', 'text');
    assert.deepEqual(scene.found(), { 'a.txt': 'text' });
  });

  for (const name of ['content', 'lock', 'about.json']) {
    it(`in place of "${name}" in it: not followed`, async () => {
      const place = scene.open(wantedOf('file', 'a.txt', 4));
      place.keep();
      const path = join(scene.partial, readdirSync(scene.partial)[0]!, name);
      rmSync(path, { force: true });
      symlinkSync(join(elsewhere, 'victim'), path);
      await scene.file('a.txt', 'text');
      assert.deepEqual(scene.found(), { 'a.txt': 'text' });
    });
  }

  it('that takes the place of the partial folder while data comes: not followed', async () => {
    const place = scene.open(wantedOf('file', 'a.txt', 4));
    swap(join(scene.partial, readdirSync(scene.partial)[0]!));
    send(place, [{ name: 'a.txt', size: 4, modified: MODIFIED }], new Map([[0, Buffer.from('text')]]));
    assert.deepEqual(readdirSync(elsewhere), []);
    await place.publish();
    assert.deepEqual(scene.found(), { 'a.txt': 'text' });
  });

  it('that took the place of the received folder meanwhile: refused, and what came is kept', async () => {
    const place = scene.open(wantedOf('file', 'a.txt', 4));
    send(place, [{ name: 'a.txt', size: 4, modified: MODIFIED }], new Map([[0, Buffer.from('text')]]));
    swap(scene.received);
    await assert.rejects(place.publish(), { code: 'write-failed' });
    place.keep();
    rmSync(scene.received);
    await scene.file('a.txt', 'text');
    assert.deepEqual(scene.found(), { 'a.txt': 'text' });
  });

  it('that takes the place of the received folder in the very moment of naming: the name is taken back', async () => {
    const disk = diskWith((call) => {
      if (call === 'link') swap(scene.received);
      return undefined;
    });
    await assert.rejects(scene.file('a.txt', 'text', disk), { code: 'write-failed' });
    assert.deepEqual(readdirSync(`${scene.received}.moved`), []);
  });

  it('where an old partial would be: stays, and so does what it leads to', () => {
    const victim = join(scene.make('mine'), 'victim');
    writeFileSync(victim, 'keep');
    scene.make('partial');
    symlinkSync(victim, join(scene.partial, `${'0'.repeat(32)}.part`));
    symlinkSync(elsewhere, join(scene.partial, '1'.repeat(32)));
    utimesSync(victim, 1, 1);
    inOneGo(scene.store().removeLeftovers(Date.now() * 2));
    assert.equal(readFileSync(victim, 'utf8'), 'keep');
    assert.equal(readdirSync(scene.partial).length, 2);
  });
});
