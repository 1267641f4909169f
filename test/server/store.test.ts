/** The data directory: one owner, nothing made anew in silence, damage told before it can hurt (HOSTILE 36). */
import assert from 'node:assert/strict';
import { chmod, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { crc32 } from 'node:zlib';
import { open as openLmdb } from 'lmdb';
import { P2pError } from '../../src/protocol/errors.js';
import { checkStoreFile } from '../../src/server/store-format.js';
import { Store } from '../../src/server/store.js';
import { temporaryDirectory, testSecrets } from '../helpers/test-server.js';

const ACCOUNTS = 400;

/** A directory with a closed store of some hundred accounts. */
async function stored(t: TestContext): Promise<{ directory: string; file: string }> {
  const directory = await temporaryDirectory();
  t.after(() => rm(directory, { recursive: true, force: true }));
  const store = await Store.open(directory, testSecrets);
  const { decoy } = await testSecrets();
  await Promise.all(Array.from({ length: ACCOUNTS }, (_, n) => store.createAccount(`user${n}`, { ...decoy, user: `user${n}` })));
  await store.close();
  return { directory, file: join(directory, 'data.mdb') };
}

function never(): Promise<never> {
  return Promise.reject(new Error('secrets must not be made anew'));
}

function code(wanted: string, text = /./u): (error: unknown) => boolean {
  return (error) => error instanceof P2pError && error.code === wanted && text.test(error.message) && !error.message.includes('\n');
}

describe('data directory', () => {
  it('is made for its owner alone', async (t) => {
    const parent = await temporaryDirectory();
    t.after(() => rm(parent, { recursive: true, force: true }));
    const directory = join(parent, 'a', 'b');
    await (await Store.open(directory, testSecrets)).close();
    assert.equal((await stat(directory)).mode & 0o777, 0o700);
    assert.equal((await stat(join(directory, 'data.mdb'))).mode & 0o777, 0o600);
  });

  it('has one owner at a time', async (t) => {
    const { directory } = await stored(t);
    const store = await Store.open(directory, never);
    await assert.rejects(Store.open(directory, never), code('bad-data-directory', /Another p2p-server uses/u));
    await store.close();
    await (await Store.open(directory, never)).close();
  });

  it('must be a directory', async (t) => {
    const { file } = await stored(t);
    await assert.rejects(Store.open(file, never), code('bad-data-directory'));
    await assert.rejects(Store.open(join(file, 'x'), never), code('bad-data-directory'));
  });

  it('must be readable and writable', { skip: process.getuid?.() === 0 ? 'root may read everything' : false }, async (t) => {
    const { directory, file } = await stored(t);
    await chmod(file, 0o000);
    await assert.rejects(Store.open(directory, never), code('bad-data-directory', /EACCES/u));
    await chmod(directory, 0o500);
    await assert.rejects(Store.open(directory, never), code('bad-data-directory', /EACCES/u));
    await chmod(directory, 0o700);
  });

  it('keeps what a first start that was killed has left from being taken for a store', async (t) => {
    const directory = await temporaryDirectory();
    t.after(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, 'data.mdb.new'), 'half');
    await (await Store.open(directory, testSecrets)).close();
    await (await Store.open(directory, never)).close();
  });
});

describe('store', () => {
  it('keeps its keys and accounts', async (t) => {
    const { directory } = await stored(t);
    const store = await Store.open(directory, never);
    t.after(() => store.close());
    assert.deepEqual(store.secrets, await testSecrets());
    for (let n = 0; n < ACCOUNTS; n += 1) assert.equal(store.findAccount(`user${n}`)?.user, `user${n}`);
  });

  it('refuses a newer version, lost keys and a foreign LMDB file, each by name', async (t) => {
    const edits: [(server: { put(key: string, value: string): unknown; remove(key: string): unknown }) => unknown, RegExp][] = [
      [(server) => server.put('schema', withChecksum('{"version":2}')), /newer p2p-server/u],
      [(server) => server.put('schema', '00000000{"version":1}'), /has changed on disk/u],
      [(server) => server.put('schema', withChecksum('{"version":"1"}')), /cannot be understood/u],
      [(server) => server.remove('secrets'), /lost the server's keys/u],
      [(server) => server.remove('schema'), /not a store of p2p-server/u],
    ];
    for (const [edit, text] of edits) {
      const { directory, file } = await stored(t);
      const root = openLmdb({ path: file, noSubdir: true, overlappingSync: false, encoding: 'string' });
      await edit(root.openDB<string, string>({ name: 'server', encoding: 'string' }));
      await root.close();
      await assert.rejects(Store.open(directory, never), code('store-damaged', text));
    }
  });

  it('finds a record that has changed on disk', async (t) => {
    const { directory, file } = await stored(t);
    const bytes = await readFile(file);
    const at = bytes.lastIndexOf(Buffer.from('"user":"user77"'));
    bytes.write('"user":"user78"', at);
    await writeFile(file, bytes);
    const store = await Store.open(directory, never);
    t.after(() => store.close());
    assert.throws(() => store.findAccount('user77'), code('store-damaged', /has changed on disk/u));
    assert.equal(store.findAccount('user78')?.user, 'user78');
  });

  it('says that an empty, foreign or short file is damaged, and makes nothing anew', async (t) => {
    const { directory, file } = await stored(t);
    const whole = await readFile(file);
    for (const bytes of [0, 1, 4095, 4096, 8191, 8192, 12_288, Math.floor(whole.length / 2)]) {
      await writeFile(file, whole);
      await truncate(file, bytes);
      await assert.rejects(Store.open(directory, never), code('store-damaged'), `${bytes} bytes`);
    }
    await writeFile(file, Buffer.alloc(65_536, 0x5a));
    await assert.rejects(Store.open(directory, never), code('store-damaged'));
    await writeFile(file, whole);
    await (await Store.open(directory, never)).close();
  });

  it('refuses a file that lacks its last pages, unless those were free and nothing is missing', async (t) => {
    const { directory, file } = await stored(t);
    const whole = await readFile(file);
    let refused = 0;
    for (let pages = 1; pages <= 8; pages += 1) {
      await writeFile(file, whole);
      await truncate(file, whole.length - pages * 4096);
      try {
        const store = await Store.open(directory, never);
        for (let n = 0; n < ACCOUNTS; n += 1) assert.equal(store.findAccount(`user${n}`)?.user, `user${n}`);
        await store.close();
      } catch (error) {
        assert.ok(code('store-damaged')(error), String(error));
        refused += 1;
      }
    }
    assert.ok(refused > 0);
  });

  it('finds a page that was overwritten, wherever it is reached from', async (t) => {
    const { directory, file } = await stored(t);
    const whole = await readFile(file);
    let refused = 0;
    for (let page = 0; page < whole.length / 4096; page += 1) {
      const damaged = Buffer.from(whole);
      damaged.fill(0xa5, page * 4096, page * 4096 + 4096);
      await writeFile(file, damaged);
      try {
        checkStoreFile(file);
      } catch (error) {
        assert.ok(code('store-damaged')(error));
        refused += 1;
      }
    }
    // Pages that are free hold nothing that LMDB would read.
    assert.ok(refused > whole.length / 4096 / 2, `${refused} of ${whole.length / 4096}`);
    await writeFile(file, whole);
    await (await Store.open(directory, never)).close();
  });

  it('finds a tree that runs in a circle or into another', async (t) => {
    const { file } = await stored(t);
    const bytes = await readFile(file);
    const newest = bytes.readBigUInt64LE(24 + 128) > bytes.readBigUInt64LE(4096 + 24 + 128) ? 0 : 4096;
    // The root of the tree of free pages is that of the main tree.
    bytes.copy(bytes, newest + 24 + 24 + 40, newest + 24 + 72 + 40, newest + 24 + 72 + 48);
    await writeFile(file, bytes);
    assert.throws(() => checkStoreFile(file), code('store-damaged', /used twice/u));
  });

  it('finds no fault with a store that is used a lot', async (t) => {
    const { directory, file } = await stored(t);
    const root = openLmdb({ path: file, noSubdir: true, overlappingSync: false, encoding: 'string' });
    const accounts = root.openDB<string, string>({ name: 'accounts', encoding: 'string' });
    for (let round = 0; round < 60; round += 1) {
      for (let n = 0; n < 40; n += 1) {
        if ((round + n) % 3 === 0) void accounts.remove(`user${(round * 7 + n) % ACCOUNTS}`);
        else void accounts.put(`user${(round * 11 + n * 13) % 2000}`, 'x'.repeat((n * 331 + round * 97) % 9000));
      }
      await accounts.committed;
      checkStoreFile(file);
    }
    await root.close();
    await (await Store.open(directory, never)).close();
  });
});

/** As the store writes records, so that only the content is at fault. */
function withChecksum(json: string): string {
  return crc32(json).toString(16).padStart(8, '0') + json;
}
