/** Files and folders from one disk to the other, as a user would expect them. */
import assert from 'node:assert/strict';
import { mkdir, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { transferLimits } from '../../src/protocol/limits.js';
import { linkedPair, patterned } from './harness.js';

const MiB = 1024 * 1024;
const TIME = Date.UTC(2021, 4, 3, 2, 1, 7);

describe('a file', () => {
  const sizes = [0, 1, 16_384, 256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, MiB, transferLimits.windowBytes + 12_345, 3 * transferLimits.windowBytes];
  for (const size of sizes) {
    it(`of ${size} bytes arrives as it is, with its time`, async (t) => {
      const { alice, bob, wire } = await linkedPair(t);
      const content = patterned(size, size + 1);
      const { finished } = await alice.manager.offer(await alice.file('a file.bin', content, TIME));
      const [sent, got] = await Promise.all([finished, bob.event('transfer-done')]);
      assert.deepEqual(await bob.read('a file.bin'), content);
      assert.equal(sent.event, 'transfer-done');
      assert.deepEqual({ bytes: got.bytes, files: got.files, same: got.same, refused: got.refused, resumed: got.resumed, path: got.path }, { bytes: size, files: 1, same: 0, refused: 0, resumed: 0, path: join(bob.received, 'a file.bin') });
      assert.ok(sent.blake3 === got.blake3 && /^[0-9a-f]{64}$/u.test(got.blake3 ?? ''));
      assert.equal((await stat(join(bob.received, 'a file.bin'))).mtimeMs, TIME);
      assert.deepEqual(wire.violations.all, []);
      assert.deepEqual((await bob.folders()).partial, []);
    });
  }

  for (const cuts of [[1], [7, 1, 20_000], [300_000]]) {
    it(`arrives in pieces of ${cuts.join(', ')} bytes`, async (t) => {
      const { alice, bob } = await linkedPair(t, { cuts });
      const content = patterned(70_000);
      await (await alice.manager.offer(await alice.file('a', content))).finished;
      assert.deepEqual(await bob.read('a'), content);
    });
  }

  it('that is there already is not sent again', async (t) => {
    const { alice, bob, wire } = await linkedPair(t);
    const path = await alice.file('a', patterned(MiB));
    await (await alice.manager.offer(path)).finished;
    const before = wire.bytes;
    const again = await (await alice.manager.offer(path)).finished;
    assert.equal(wire.bytes, before);
    assert.ok(again.event === 'transfer-done' && again.same === 1 && again.resumed === MiB);
    assert.deepEqual((await bob.folders()).received, ['a']);
  });

  it('of the same name and another content gets a number', async (t) => {
    const { alice, bob } = await linkedPair(t);
    await (await alice.manager.offer(await alice.file('1/a.txt', 'one'))).finished;
    await (await alice.manager.offer(await alice.file('2/a.txt', 'two'))).finished;
    await (await alice.manager.offer(await alice.file('3/a.txt', 'three'))).finished;
    assert.deepEqual((await bob.folders()).received, ['a (1).txt', 'a (2).txt', 'a.txt']);
    assert.equal(String(await bob.read('a.txt')), 'one');
  });

  it('is asked about: size, room, what is there', async (t) => {
    const { alice, bob } = await linkedPair(t, { bob: { policy: { accept: 'ask' } } });
    const { finished } = await alice.manager.offer(await alice.file('a', 'hello'));
    const offer = await bob.event('offer');
    assert.deepEqual({ ...offer, free: typeof offer.free }, { event: 'offer', id: 1, peer: 'alice', direction: 'incoming', name: 'a', kind: 'file', size: 5, files: 1, counted: true, decision: 'ask', free: 'number' });
    await bob.manager.accept(offer.id);
    assert.equal((await finished).event, 'transfer-done');
  });

  it('is no open offer any more from when it is accepted, so that two in a row mean two', async (t) => {
    const { alice, bob } = await linkedPair(t, { bob: { policy: { accept: 'ask' } } });
    const { finished } = await alice.manager.offer(await alice.file('a', 'hello'));
    const { id } = await bob.event('offer');
    const accepting = bob.manager.accept(id);
    assert.equal(bob.manager.hasOffer(id), false);
    await accepting;
    assert.equal((await finished).event, 'transfer-done');
  });
});

describe('a folder', () => {
  it('arrives with empty folders, spaces, Unicode, dots and times', async (t) => {
    const { alice, bob } = await linkedPair(t);
    const files: Record<string, Buffer> = {
      'top.txt': patterned(10),
      'a b/ü ß.txt': patterned(5000, 2),
      'a b/日本/😀.png': patterned(300_000, 3),
      '.git/config': patterned(3, 4),
      'empty.txt': patterned(0),
    };
    for (const [name, content] of Object.entries(files)) await alice.file(`photos/${name}`, content, TIME);
    await mkdir(join(alice.root, 'photos', 'nothing', 'in here'), { recursive: true });
    const { finished } = await alice.manager.offer(join(alice.root, 'photos'));
    const [sent, got] = await Promise.all([finished, bob.event('transfer-done')]);
    for (const [name, content] of Object.entries(files)) {
      assert.deepEqual(await bob.read(join('photos', name)), content, name);
      assert.equal((await stat(join(bob.received, 'photos', name))).mtimeMs, TIME, name);
    }
    assert.ok((await stat(join(bob.received, 'photos', 'nothing', 'in here'))).isDirectory());
    assert.ok(sent.event === 'transfer-done');
    assert.deepEqual([sent.files, got.files, sent.refused, got.refused, got.bytes], [5, 5, 0, 0, 305_013]);
    assert.equal((await alice.event('offer')).files, 5);
  });

  it('of nothing arrives', async (t) => {
    const { alice, bob } = await linkedPair(t);
    await mkdir(join(alice.root, 'nothing'));
    await (await alice.manager.offer(join(alice.root, 'nothing'))).finished;
    assert.ok((await stat(join(bob.received, 'nothing'))).isDirectory());
  });

  it('sent again moves only what has changed', async (t) => {
    const { alice, bob, wire } = await linkedPair(t);
    for (let n = 0; n < 50; n += 1) await alice.file(`d/${n % 5}/${n}.bin`, patterned(1000 + n, n + 1), TIME);
    const folder = join(alice.root, 'd');
    await (await alice.manager.offer(folder)).finished;
    await alice.file('d/3/8.bin', patterned(777, 99));
    await alice.file('d/new.bin', patterned(33, 98));
    const before = wire.bytes;
    const again = await (await alice.manager.offer(folder)).finished;
    assert.equal(wire.bytes - before, 810);
    assert.ok(again.event === 'transfer-done' && again.same === 49, JSON.stringify(again));
    assert.deepEqual(await bob.read('d/new.bin'), patterned(33, 98));
    assert.deepEqual(await bob.read('d/3/8.bin'), patterned(1008, 9));
    assert.deepEqual(await bob.read('d/3/8 (1).bin'), patterned(777, 99));
  });

  it('is compared with what is there before a person decides', async (t) => {
    const { alice, bob } = await linkedPair(t, { bob: { policy: { accept: 'ask' } } });
    for (let n = 0; n < 1200; n += 1) await alice.file(`d/${n}`, `${n}`, TIME);
    const folder = join(alice.root, 'd');
    const first = await alice.manager.offer(folder);
    await bob.manager.accept((await bob.event('offer')).id);
    await first.finished;
    await alice.file('d/one more', 'x');
    await alice.manager.offer(folder);
    const { same } = await bob.event('offer-update', (event) => event.same !== undefined);
    assert.equal(same, 1200);
  });

  it('leaves links out and says so', async (t) => {
    const { alice, bob } = await linkedPair(t);
    await alice.file('d/file', 'x');
    await symlink('/etc/passwd', join(alice.root, 'd', 'link'));
    await (await alice.manager.offer(join(alice.root, 'd'))).finished;
    const note = await alice.event('transfer-note');
    assert.equal(note.path, 'link');
    assert.match(note.note, /symbolic link/u);
    await assert.rejects(bob.read('d/link'), { code: 'ENOENT' });
  });

  it('of thousands of small files needs few messages', async (t) => {
    const { alice, bob } = await linkedPair(t);
    for (let n = 0; n < 3000; n += 1) await alice.file(`d/${n % 30}/${n}`, `content ${n}`);
    await (await alice.manager.offer(join(alice.root, 'd'))).finished;
    assert.equal(String(await bob.read('d/17/2987')), 'content 2987');
    assert.ok(bob.sent.all.length < 100, `${bob.sent.all.length} messages`);
  });
});
