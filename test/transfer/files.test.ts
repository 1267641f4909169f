/** Files of all sizes from one side to the other, as people use it. */
import assert from 'node:assert/strict';
import { lstat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { blake3 } from '@napi-rs/blake-hash';
import fc from 'fast-check';
import { Folders, linkedPair, patterned } from './harness.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const folders = new Folders();
after(() => folders.remove());

describe('a file', () => {
  for (const size of [0, 1, 256 * KiB - 1, 256 * KiB, 256 * KiB + 1, MiB - 1, MiB, MiB + 1, 9 * MiB + 12_345]) {
    it(`of ${size} bytes arrives as it was`, async () => {
      const { alice, bob } = await linkedPair(folders);
      const content = patterned(size);
      const { id, finished } = await alice.manager.offerFile(await alice.file('a.bin', content));
      const sent = await finished;
      const got = await bob.event('transfer-done');
      assert.equal(sent.event, 'transfer-done');
      assert.equal(sent.id, id);
      const hash = blake3(content).toString('hex');
      const { seconds, ...rest } = got;
      assert.ok(seconds >= 0);
      assert.deepEqual(rest, {
        event: 'transfer-done',
        id: 1,
        peer: 'alice',
        direction: 'incoming',
        name: 'a.bin',
        bytes: size,
        resumed: 0,
        blake3: hash,
        path: join(bob.received, 'a.bin'),
      });
      assert.ok(content.equals(await bob.read('a.bin')));
      assert.deepEqual(await bob.folders(), { received: ['a.bin'], partial: [] });
      assert.deepEqual([alice.manager.snapshots(), bob.manager.snapshots()], [[], []]);
    });
  }

  it('is told of in order: offer, then done, with the same number', async () => {
    const { alice, bob } = await linkedPair(folders);
    const { finished } = await alice.manager.offerFile(await alice.file('a.txt', 'hello'));
    await finished;
    assert.deepEqual(alice.events.all.map((event) => event.event), ['offer', 'transfer-done']);
    assert.deepEqual(bob.events.all.map((event) => event.event), ['offer', 'transfer-done']);
    assert.deepEqual(bob.events.all[0], { event: 'offer', id: 1, peer: 'alice', direction: 'incoming', name: 'a.txt', kind: 'file', size: 5 });
    assert.equal('path' in (await finished), false);
  });

  it('arrives whatever the pieces are into which the link cuts it', async () => {
    const content = patterned(700 * KiB + 17, 7);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.integer({ min: 900, max: 20_000 }), fc.integer({ min: 20_000, max: 2 * MiB })), { minLength: 1, maxLength: 20 }), async (cuts) => {
        const { alice, bob } = await linkedPair(folders, { cuts });
        const { finished } = await alice.manager.offerFile(await alice.file('a.bin', content));
        assert.equal((await finished).event, 'transfer-done');
        assert.ok(content.equals(await bob.read('a.bin')));
      }),
      { numRuns: 20 },
    );
  });

  it('is neither executable nor readable by others, whatever it is called (HOSTILE 33)', async () => {
    const { alice, bob } = await linkedPair(folders);
    for (const name of ['.bashrc', 'run.sh', 'x.desktop']) await (await alice.manager.offerFile(await alice.file(name, '#!/bin/sh'))).finished;
    const { received } = await bob.folders();
    assert.deepEqual(received, ['_bashrc', 'run.sh', 'x.desktop']);
    for (const name of received) assert.equal((await lstat(join(bob.received, name))).mode & 0o777, 0o600);
    assert.equal((await lstat(bob.received)).mode & 0o777, 0o700);
    assert.equal((await lstat(bob.partial)).mode & 0o777, 0o700);
  });

  it('never replaces one that is there: the next number is taken (HOSTILE 26)', async () => {
    const { alice, bob } = await linkedPair(folders);
    for (const text of ['first', 'second', 'third']) await (await alice.manager.offerFile(await alice.file('a.tar.gz', text))).finished;
    assert.deepEqual((await bob.folders()).received, ['a (1).tar.gz', 'a (2).tar.gz', 'a.tar.gz']);
    assert.equal((await bob.read('a.tar.gz')).toString(), 'first');
    assert.equal((await bob.read('a (2).tar.gz')).toString(), 'third');
  });

  it('whose name is taken by a symbolic link leaves the link and its target alone (HOSTILE 27)', async () => {
    const { alice, bob } = await linkedPair(folders);
    await (await alice.manager.offerFile(await alice.file('first', ''))).finished;
    const victim = join(bob.root, 'victim');
    await symlink(victim, join(bob.received, 'a.txt'));
    await (await alice.manager.offerFile(await alice.file('a.txt', 'text'))).finished;
    assert.equal((await bob.read('a (1).txt')).toString(), 'text');
    await assert.rejects(lstat(victim), { code: 'ENOENT' });
  });
});

describe('several files', () => {
  it('move in both directions at once', async () => {
    const { alice, bob, violations } = await linkedPair(folders);
    const contents = [3 * MiB + 1, 10, 5 * MiB, 0, 300 * KiB].map((size, n) => patterned(size, n + 1));
    const finished = [];
    for (const [n, content] of contents.entries()) {
      finished.push((await alice.manager.offerFile(await alice.file(`a${n}`, content))).finished);
      finished.push((await bob.manager.offerFile(await bob.file(`b${n}`, content))).finished);
    }
    for (const outcome of await Promise.all(finished)) assert.equal(outcome.event, 'transfer-done');
    for (const [n, content] of contents.entries()) {
      assert.ok(content.equals(await bob.read(`a${n}`)));
      assert.ok(content.equals(await alice.read(`b${n}`)));
    }
    assert.deepEqual(violations.all, []);
  });

  it('of any number get through: those beyond what may run or wait stand in line', async () => {
    const { alice, bob } = await linkedPair(folders);
    const path = await alice.file('many.txt', 'x');
    const outcomes = await Promise.all(Array.from({ length: 90 }, async () => (await alice.manager.offerFile(path)).finished));
    assert.ok(outcomes.every((outcome) => outcome.event === 'transfer-done'));
    assert.equal((await bob.folders()).received.length, 90);
  });

  it('do not make a small one wait for a large one', async () => {
    const { alice } = await linkedPair(folders);
    const large = await alice.manager.offerFile(await alice.file('large', patterned(48 * MiB)));
    const small = await alice.manager.offerFile(await alice.file('small', 'x'));
    await Promise.all([large.finished, small.finished]);
    assert.deepEqual(alice.sent.all.flatMap((message) => (message.type === 'done' ? [message.transfer] : [])), [2, 1]);
  });
});
