/**
 * Every call to the receiver's disk fails once, in every way (HOSTILE 34, 35): never a wrong byte under a final name, and the
 * same sent again ends with everything there once.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { systemDisk, type Disk } from '../../../src/transfer/store/disk.js';
import { TransferFailure } from '../../../src/transfer/failure.js';
import type { Stored } from '../../../src/transfer/store/store.js';
import { EntryStatus } from '../../../src/protocol/frames.js';
import { RecordBlock } from '../../../src/transfer/store/block-filler.js';
import { inOneGo } from '../../../src/transfer/store/steps.js';
import { diskWith, entriesOf, hashOf, Scene, send, systemError, wantedOf, type Tree } from './store-scene.js';

/** Ends a run as kill -9 would: nothing after it happens any more. */
class Killed extends Error {}

interface Case {
  readonly what: string;
  /** What is in the received folder before. */
  readonly before: Tree;
  readonly kind: 'file' | 'folder';
  readonly sent: Tree;
  readonly after: Tree;
  /** An earlier run got so many bytes. */
  readonly begun?: number;
}

const sound = diskWith(() => undefined);
const big = Buffer.alloc(600_000, 'big');
const cases: readonly Case[] = [
  { what: 'a file', kind: 'file', before: {}, sent: { top: big }, after: { top: big } },
  { what: 'a file beside another of its name', kind: 'file', before: { top: 'mine' }, sent: { top: 'sent!' }, after: { top: 'mine', 'top (1)': 'sent!' } },
  { what: 'a file that is continued', kind: 'file', before: {}, sent: { top: big }, after: { top: big }, begun: 300_000 },
  { what: 'a folder', kind: 'folder', before: {}, sent: { a: 'a', 'sub/b': 'bb', empty: null }, after: { 'top/a': 'a', 'top/sub/b': 'bb', 'top/empty': null } },
  {
    what: 'a folder that is continued',
    kind: 'folder',
    before: {},
    sent: { a: 'a', 'sub/b': 'bb', 'sub/c': 'ccc' },
    after: { 'top/a': 'a', 'top/sub/b': 'bb', 'top/sub/c': 'ccc' },
    begun: 2,
  },
  {
    what: 'a folder merged into another',
    kind: 'folder',
    before: { 'top/a': 'mine', 'top/sub/b': 'bb', 'top/sub/own': 'own' },
    sent: { a: 'sent!', 'sub/b': 'bb', 'sub/new': 'new', 'fresh/x': 'x' },
    after: { 'top/a': 'mine', 'top/a (1)': 'sent!', 'top/sub/b': 'bb', 'top/sub/own': 'own', 'top/sub/new': 'new', 'top/fresh/x': 'x' },
  },
];

function prepare(one: Case): Scene {
  const scene = new Scene();
  for (const [path, content] of Object.entries(one.before)) {
    mkdirSync(dirname(join(scene.received, path)), { recursive: true });
    writeFileSync(join(scene.received, path), content ?? '');
    utimesSync(join(scene.received, path), 1, 1);
  }
  if (one.begun !== undefined) {
    const { entries, contents } = entriesOf(one.sent);
    const place = scene.open(wanted(one));
    send(place, entries, contents, { stopAfter: one.begun, pieceBytes: 100_000 });
    place.keep();
  }
  return scene;
}

function wanted(one: Case) {
  return wantedOf(one.kind, 'top', one.kind === 'file' ? entriesOf(one.sent).contents.get(0)!.length : 0);
}

/** As far as it gets; what is open is let go, as it is when a program ends. */
async function attempt(scene: Scene, one: Case, disk: Disk, onFull?: () => void): Promise<Stored> {
  const { entries, contents } = entriesOf(one.sent);
  const open: number[] = [];
  const watched: Disk = {
    ...disk,
    open: (path, flags, mode) => {
      const fd = disk.open(path, flags, mode);
      open.push(fd);
      return fd;
    },
    close: (fd) => {
      open.splice(open.indexOf(fd), 1);
      disk.close(fd);
    },
  };
  let tries = 0;
  try {
    for (;;) {
      try {
        const place = scene.open(wanted(one), watched);
        send(place, entries, contents, { ...(onFull === undefined ? {} : { onFull }), pieceBytes: 100_000 });
        for (;;) {
          try {
            return await place.publish();
          } catch (error) {
            if (!again(error)) throw error;
          }
        }
      } catch (error) {
        if (!again(error)) throw error;
      }
    }
  } finally {
    for (const fd of open) systemDisk.close(fd);
  }
  function again(error: unknown): boolean {
    tries += 1;
    return onFull !== undefined && tries < 5 && error instanceof TransferFailure && error.code === 'disk-full';
  }
}

/** Whatever has a final name is right: what was there, what is to be there, and a name once. */
function mustBeSound(scene: Scene, one: Case, where: () => string): void {
  for (const [path, content] of Object.entries(scene.found())) {
    if (content === null) continue;
    assert.ok(path in one.after, `${where()}: ${path} is there`);
    assert.ok(content === String(one.after[path]), `${where()}: ${path} is wrong`);
  }
  for (const [path, content] of Object.entries(one.before)) assert.equal(scene.found()[path], content, `${where()}: ${path} was lost`);
}

function mustBeComplete(scene: Scene, one: Case, where: () => string): void {
  mustBeSound(scene, one, where);
  const found = scene.found();
  for (const [path, content] of Object.entries(one.after)) assert.ok(path in found && (content === null) === (found[path] === null), `${where()}: ${path} is missing`);
}

/** Runs `one` with the n-th call failing, for every n. */
async function forEveryCall(one: Case, error: () => Error, check: (scene: Scene, disk: Disk, where: () => string) => Promise<void>): Promise<void> {
  for (let n = 1; ; n += 1) {
    const scene = prepare(one);
    let count = 0;
    let failed = '';
    let dead = false;
    const disk = diskWith((call, args) => {
      count += 1;
      if (dead) return new Killed();
      if (count !== n || call === 'lock') return undefined;
      failed = `${call} ${String(args[0]).replace(/.*\/(?=[^/]*\/)/u, '')}`;
      const raised = error();
      dead = raised instanceof Killed;
      return raised;
    });
    try {
      await check(scene, disk, () => `call ${n}, ${failed}`);
    } finally {
      scene.remove();
    }
    if (count < n) return;
  }
}

for (const one of cases) {
  describe(`${one.what}, with a disk that fails at any one call`, () => {
    for (const code of ['EIO', one.kind === 'file' ? 'ENOENT' : 'EACCES']) {
      it(`with ${code}: sound, and complete when it is sent again`, () =>
        forEveryCall(one, () => systemError(code), async (scene, disk, where) => {
          try {
            await attempt(scene, one, disk);
          } catch (error) {
            assert.ok(error instanceof TransferFailure, `${where()}: ${String(error)}`);
          }
          mustBeSound(scene, one, where);
          await attempt(scene, one, sound);
          mustBeComplete(scene, one, where);
        }));
    }

    it('with ENOSPC: goes on when there is room', () =>
      forEveryCall(one, () => systemError('ENOSPC'), async (scene, disk, where) => {
        try {
          await attempt(scene, one, disk, () => mustBeSound(scene, one, where));
        } catch (error) {
          assert.ok(error instanceof TransferFailure && error.code !== 'disk-full', `${where()}: ${String(error)}`);
          await attempt(scene, one, sound);
        }
        mustBeComplete(scene, one, where);
      }));

    it('because the program is killed there: sound, and complete when it is sent again', () =>
      forEveryCall(one, () => new Killed(), async (scene, disk, where) => {
        await attempt(scene, one, disk).catch((error: unknown) => assert.ok(error instanceof Killed, String(error)));
        mustBeSound(scene, one, where);
        await attempt(scene, one, sound);
        mustBeComplete(scene, one, where);
        assert.deepEqual(readdirSync(scene.partial), [], where());
      }));
  });
}

describe('a disk that writes less than it is asked to', () => {
  for (const step of [1, 7, 4096]) {
    it(`${step} bytes at a time: nothing is lost`, async () => {
      const content = Buffer.from('0123456789'.repeat(step === 1 ? 100 : 10_000));
      const disk: Disk = { ...systemDisk, write: (fd, bytes, offset, length, position) => systemDisk.write(fd, bytes, offset, Math.min(length, step), position) };
      const scene = new Scene();
      await scene.file('a', content, disk);
      assert.deepEqual(scene.found(), { a: String(content) });
      scene.remove();
    });
  }
});

describe('a full disk', () => {
  it('stops in the middle of a block and goes on there, as often as it must', async () => {
    const scene = new Scene();
    let room = 0;
    const disk: Disk = {
      ...systemDisk,
      write: (fd, bytes, offset, length, position) => {
        if (room === 0 && length > 500) throw systemError('ENOSPC');
        const count = systemDisk.write(fd, bytes, offset, length > 500 ? Math.min(room, length) : length, position);
        if (length > 500) room -= count;
        return count;
      },
    };
    const content = Buffer.alloc(300_000, 'full disk ');
    const place = scene.open(wantedOf('file', 'a', content.length), disk);
    let times = 0;
    send(place, [{ name: 'a', size: content.length, modified: 0 }], new Map([[0, content]]), {
      onFull: () => {
        times += 1;
        room = 10_007;
      },
    });
    await place.publish();
    assert.equal(times, Math.ceil(content.length / 10_007));
    assert.deepEqual(scene.found(), { a: String(content) });
    scene.remove();
  });
});

describe('blocks behind one that found the disk full', () => {
  it('are left alone until it is written, and come again in their order', async () => {
    const scene = new Scene();
    let full = true;
    const disk = diskWith((call) => (call === 'write' && full ? systemError('ENOSPC') : undefined));
    full = false;
    const place = scene.open(wantedOf('file', 'a', 6), disk);
    full = true;
    place.start(7);
    inOneGo(place.plan({ first: 0, entries: [{ name: 'a', size: 6, modified: 0 }], last: true }));
    const blocks = ['abc', 'def'].map((text, n) => {
      const filler = new RecordBlock(Buffer.alloc(200));
      filler.data(0, 3 * n, Buffer.from(text));
      if (n === 1) filler.end(0, EntryStatus.whole, hashOf('abcdef'));
      return filler;
    });
    const write = () => blocks.map(({ block, bytes }, n) => place.write(block, bytes, 7 + n).full);
    assert.deepEqual(write(), [true, true]);
    full = false;
    assert.deepEqual(write(), [false, false]);
    await place.publish();
    assert.deepEqual(scene.found(), { a: 'abcdef' });
    scene.remove();
  });
});

describe('a folder of partials that is removed mid-way', () => {
  it('fails the transfer, publishes nothing, and leaves the store usable', async () => {
    const scene = new Scene();
    const { entries, contents } = entriesOf({ a: 'a', 'sub/b': 'b' });
    const place = scene.open(wantedOf('folder', 'top'));
    rmSync(scene.partial, { recursive: true });
    assert.throws(() => send(place, entries, contents), { code: 'write-failed' });
    place.keep();
    assert.deepEqual(scene.found(), {});
    await scene.folder('top', { a: 'a' });
    assert.deepEqual(Object.keys(scene.found()), ['top', 'top/a']);
    scene.remove();
  });

  it('is no failure where only the received folder was removed: it is made again', async () => {
    const scene = new Scene();
    const { entries, contents } = entriesOf({ a: 'a' });
    const place = scene.open(wantedOf('folder', 'top'));
    send(place, entries, contents);
    rmSync(scene.received, { recursive: true });
    await place.publish();
    assert.deepEqual(Object.keys(scene.found()), ['top', 'top/a']);
    scene.remove();
  });
});
