/** The receiver's disk: names taken, links laid, folders swapped or gone, no room (HOSTILE 26, 27, 33, 34). */
import assert from 'node:assert/strict';
import { chmod, link, lstat, lutimes, mkdir, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ReceiveStore } from '../../src/transfer/receive-store.js';
import { Folders, linkedPair, patterned, type Pair, type SideOptions } from './harness.js';

const MiB = 1024 * 1024;
const folders = new Folders();
after(() => folders.remove());

async function freshStore(options: { link?: (existing: string, name: string) => Promise<void> } = {}) {
  const root = await folders.make();
  const paths = { root, received: join(root, 'received'), partial: join(root, 'partial') };
  return { ...paths, store: new ReceiveStore({ ...paths, ...options }) };
}

async function publish(store: ReceiveStore, name: string, text: string): Promise<string> {
  const file = await store.create();
  await file.write(Buffer.from(text));
  await file.flush();
  return file.publish(name);
}

const noHardLinks = () => Promise.reject(Object.assign(new Error('not here'), { code: 'EPERM' }));

describe('a receive store', () => {
  it('makes its folders only when a file comes, for the owner alone', async () => {
    const { store, received, partial, root } = await freshStore();
    assert.deepEqual(await readdir(root), []);
    await store.create();
    for (const folder of [received, partial]) assert.equal((await lstat(folder)).mode & 0o777, 0o700);
  });

  it('closes a folder of partials that stood open to others', async () => {
    const { store, partial } = await freshStore();
    await mkdir(partial);
    await chmod(partial, 0o777);
    await store.create();
    assert.equal((await lstat(partial)).mode & 0o777, 0o700);
  });

  it('gives partials names that nobody can guess', async () => {
    const { store, partial } = await freshStore();
    for (let n = 0; n < 5; n += 1) await store.create();
    const names = await readdir(partial);
    assert.equal(new Set(names).size, 5);
    for (const name of names) assert.match(name, /^[0-9a-f]{32}\.part$/u);
  });

  for (const [kind, options] of [['with', {}], ['without', { link: noHardLinks }]] as const) {
    it(`never replaces a file, on a file system ${kind} hard links (HOSTILE 26)`, async () => {
      const { store, received, partial } = await freshStore(options);
      const paths = [await publish(store, 'a.txt', 'one'), await publish(store, 'a.txt', 'two'), await publish(store, 'a.txt', 'three')];
      assert.deepEqual(paths, ['a.txt', 'a (1).txt', 'a (2).txt'].map((name) => join(received, name)));
      assert.deepEqual(await Promise.all(paths.map((path) => readFile(path, 'utf8'))), ['one', 'two', 'three']);
      for (const path of paths) assert.equal((await lstat(path)).mode & 0o777, 0o600);
      assert.deepEqual(await readdir(partial), []);
    });

    it(`gives each of many of one name its own at the same time, ${kind} hard links`, async () => {
      const { store, received } = await freshStore(options);
      const paths = await Promise.all(Array.from({ length: 20 }, (_, n) => publish(store, 'a', String(n))));
      assert.equal(new Set(paths).size, 20);
      assert.deepEqual((await Promise.all(paths.map((path) => readFile(path, 'utf8')))).map(Number), Array.from({ length: 20 }, (_, n) => n));
      assert.equal((await readdir(received)).length, 20);
    });

    it(`does not follow a symbolic link under the name, ${kind} hard links (HOSTILE 27)`, async () => {
      const { store, received, root } = await freshStore(options);
      await mkdir(received);
      await symlink(join(root, 'victim'), join(received, 'a.txt'));
      assert.equal(await publish(store, 'a.txt', 'text'), join(received, 'a (1).txt'));
      assert.deepEqual((await readdir(root)).sort(), ['partial', 'received']);
    });
  }

  it('leaves no empty file where the step without hard links fails', async () => {
    const { store, received, partial } = await freshStore({ link: noHardLinks });
    const file = await store.create();
    for (const name of await readdir(partial)) await rm(join(partial, name));
    await assert.rejects(file.publish('a.txt'), { code: 'ENOENT' });
    assert.deepEqual(await readdir(received), []);
    await file.discard();
  });

  for (const which of ['received', 'partial'] as const) {
    it(`refuses a symbolic link in place of its folder "${which}" (HOSTILE 27)`, async () => {
      const { store, root, ...paths } = await freshStore();
      await mkdir(join(root, 'elsewhere'));
      await symlink(join(root, 'elsewhere'), paths[which]);
      await assert.rejects(store.create(), { code: 'write-failed', message: /symbolic link/u });
      assert.deepEqual(await readdir(join(root, 'elsewhere')), []);
    });
  }

  it('refuses a folder that became a symbolic link while the file came (HOSTILE 27)', async () => {
    const { store, received, root } = await freshStore();
    const file = await store.create();
    await exchange(received, join(root, 'elsewhere'));
    await assert.rejects(file.publish('a.txt'), { code: 'write-failed' });
    await file.discard();
    assert.deepEqual(await readdir(join(root, 'elsewhere')), []);
    assert.deepEqual(await readdir(join(root, 'partial')), []);
  });

  it('takes the name back where the folder was exchanged in that very moment (HOSTILE 27)', async () => {
    const { store, root } = await freshStore({
      link: async (existing, name) => {
        await exchange(dirname(name), join(dirname(dirname(name)), 'elsewhere'));
        await link(existing, name);
      },
    });
    const file = await store.create();
    await assert.rejects(file.publish('a.txt'), { code: 'write-failed' });
    await file.discard();
    assert.deepEqual(await readdir(join(root, 'elsewhere')), []);
  });

  it('removes what a killed program left, a day later and nothing else', async () => {
    const { store, partial, root } = await freshStore();
    await store.removeLeftovers(Date.now());
    for (let n = 0; n < 2; n += 1) await store.create();
    const [old, young] = (await readdir(partial)).sort();
    const day = new Date(Date.now() - 25 * 60 * 60 * 1000);
    await writeFile(join(root, 'mine'), 'keep');
    await writeFile(join(partial, 'notes.txt'), 'keep');
    await symlink(join(root, 'mine'), join(partial, `${'0'.repeat(32)}.part`));
    for (const path of [join(partial, old!), join(root, 'mine'), join(partial, 'notes.txt')]) await utimes(path, day, day);
    await lutimes(join(partial, `${'0'.repeat(32)}.part`), day, day);
    await store.removeLeftovers(Date.now());
    assert.deepEqual((await readdir(partial)).sort(), [`${'0'.repeat(32)}.part`, young, 'notes.txt'].sort());
    assert.equal(await readFile(join(root, 'mine'), 'utf8'), 'keep');
  });
});

/** `folder` moves away and a link to `elsewhere` takes its place. */
async function exchange(folder: string, elsewhere: string): Promise<void> {
  await mkdir(elsewhere);
  await rename(folder, `${folder}.moved`);
  await symlink(elsewhere, folder);
}

type PairStep = (pair: Pair) => Promise<void>;
const idle: PairStep = () => Promise.resolve();

describe('a disk that fails in the middle (HOSTILE 34)', () => {
  /** Alice sends 12 MiB to bob, whose disk has a `breakdown`; both are told `code`; after `repair` a next file arrives. */
  async function broken(bob: SideOptions, code: string, breakdown: PairStep = idle, repair: PairStep = idle): Promise<void> {
    const pair = await linkedPair(folders, { bob });
    const { finished } = await pair.alice.manager.offerFile(await pair.alice.file('big', patterned(12 * MiB)));
    await pair.bob.message('accept');
    await breakdown(pair);
    const outcome = await finished;
    assert.ok(outcome.event === 'transfer-failed');
    const told = await pair.bob.event('transfer-failed');
    assert.deepEqual([outcome.code, told.code, outcome.message], [code, code, `${outcome.peer} says: "${told.message}"`]);
    await repair(pair);
    assert.deepEqual(await pair.bob.folders(), { received: [], partial: [] });
    const next = await pair.alice.manager.offerFile(await pair.alice.file('next', 'x'));
    assert.equal((await next.finished).event, 'transfer-done');
    assert.deepEqual(pair.violations.all, []);
  }

  /** The first partial fails with `code` in `method`; later ones are sound. */
  function failing(method: 'write' | 'flush', code: string): SideOptions {
    let first = true;
    return {
      store: (real) => ({
        create: async () => {
          const file = await real.create();
          if (!first) return file;
          first = false;
          return Object.assign(file, { [method]: () => Promise.reject(Object.assign(new Error(code), { code })) });
        },
      }),
    };
  }

  it('for want of room: both are told', () => broken(failing('write', 'ENOSPC'), 'disk-full'));
  it('for want of quota: both are told', () => broken(failing('write', 'EDQUOT'), 'disk-full'));
  it('with an error on writing: both are told', () => broken(failing('write', 'EIO'), 'write-failed'));
  it('with an error that shows only on flushing: both are told', () => broken(failing('flush', 'EIO'), 'write-failed'));
  it('because the folder of partials was removed: both are told', () =>
    broken({}, 'write-failed', ({ bob }) => rm(bob.partial, { recursive: true })));
  it('because the folder of files became a link: both are told, nothing is written through it', () =>
    broken(
      {},
      'write-failed',
      ({ bob }) => exchange(bob.received, join(bob.root, 'elsewhere')),
      async ({ bob }) => {
        assert.deepEqual(await readdir(join(bob.root, 'elsewhere')), []);
        await rm(bob.received);
      },
    ));

  it('is no failure where only the folder of files was removed: it is made again', async () => {
    const { alice, bob } = await linkedPair(folders);
    const { finished } = await alice.manager.offerFile(await alice.file('big', patterned(12 * MiB)));
    await bob.message('accept');
    await rm(bob.received, { recursive: true });
    assert.equal((await finished).event, 'transfer-done');
    assert.deepEqual((await bob.folders()).received, ['big']);
  });
});
