/** Transfers over links that break: nothing is lost, little is sent again (PROTOCOL.md 7.5.5; HOSTILE 29, 35). */
import assert from 'node:assert/strict';
import { appendFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { transferLimits } from '../../src/protocol/limits.js';
import { linkedPair, patterned, Side, Wire, type Pair } from './harness.js';

const MiB = 1024 * 1024;

/** The link breaks behind `bytes` bytes of file; `meanwhile` happens; another one comes. */
async function brokenAfter({ alice, bob, wire }: Pair, bytes: number, meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<Wire> {
  await wire.cutAfter(bytes);
  await meanwhile();
  return new Wire([alice, bob], 'continued');
}

describe('a file over a link that breaks', () => {
  for (const after of [1, MiB, 10 * MiB, 24 * MiB - 1]) {
    it(`after ${after} bytes goes on where it was`, async (t) => {
      const pair = await linkedPair(t);
      const content = patterned(24 * MiB);
      const { finished } = await pair.alice.manager.offer(await pair.alice.file('a', content));
      const wire = await brokenAfter(pair, after);
      const [sent, got] = await Promise.all([finished, pair.bob.event('transfer-done')]);
      assert.ok(sent.event === 'transfer-done');
      assert.deepEqual(await pair.bob.read('a'), content);
      assert.equal(wire.bytes + got.resumed, content.length);
      // What was with neither disk is a window at most.
      assert.ok(got.resumed >= Math.min(after, content.length) - transferLimits.windowBytes, `${got.resumed} of ${after}`);
      assert.equal(sent.resumed, got.resumed);
    });
  }

  it('again and again arrives', async (t) => {
    const pair = await linkedPair(t);
    const content = patterned(20 * MiB);
    const { finished } = await pair.alice.manager.offer(await pair.alice.file('a', content));
    let { wire } = pair;
    for (let cut = 0; cut < 8; cut += 1) {
      await wire.cutAfter(1_500_000 + cut * 77_777);
      wire = new Wire([pair.alice, pair.bob], 'continued');
    }
    assert.equal((await finished).event, 'transfer-done');
    assert.deepEqual(await pair.bob.read('a'), content);
  });

  it('before the answer is asked about once', async (t) => {
    const pair = await linkedPair(t, { bob: { policy: { accept: 'ask' } } });
    const { finished } = await pair.alice.manager.offer(await pair.alice.file('a', 'hello'));
    const { id } = await pair.bob.event('offer');
    pair.wire.cut();
    new Wire([pair.alice, pair.bob], 'continued');
    await pair.alice.message('offers-end');
    await pair.bob.manager.accept(id);
    assert.equal((await finished).event, 'transfer-done');
    assert.equal(pair.bob.events.all.filter(({ event }) => event === 'offer').length, 1);
  });

  it('between the answer and the next link is taken', async (t) => {
    const pair = await linkedPair(t, { bob: { policy: { accept: 'ask' } } });
    const { finished } = await pair.alice.manager.offer(await pair.alice.file('a', 'hello'));
    const { id } = await pair.bob.event('offer');
    pair.wire.cut();
    await pair.bob.manager.accept(id);
    new Wire([pair.alice, pair.bob], 'continued');
    assert.equal((await finished).event, 'transfer-done');
  });

  it('when only the last word was lost is done on both sides, and stored once', async (t) => {
    const pair = await linkedPair(t);
    const { finished } = await pair.alice.manager.offer(await pair.alice.file('a', patterned(1000)));
    // Said by bob, and never delivered.
    await pair.bob.message('verified');
    pair.wire.cut();
    new Wire([pair.alice, pair.bob], 'continued');
    const sent = await finished;
    assert.equal(sent.event, 'transfer-done');
    assert.deepEqual((await pair.bob.folders()).received, ['a']);
  });

  it('ends where its sender took it back meanwhile', async (t) => {
    const pair = await linkedPair(t);
    const { id } = await pair.alice.manager.offer(await pair.alice.file('a', patterned(30 * MiB)));
    await pair.wire.cutAfter(2 * MiB);
    await pair.alice.manager.cancel(id);
    new Wire([pair.alice, pair.bob], 'continued');
    const failed = await pair.bob.event('transfer-failed');
    assert.equal(failed.code, 'link-lost');
  });

  it('ends where its receiver took it back meanwhile', async (t) => {
    const pair = await linkedPair(t);
    const { finished } = await pair.alice.manager.offer(await pair.alice.file('a', patterned(30 * MiB)));
    await pair.wire.cutAfter(2 * MiB);
    await pair.bob.manager.cancel((await pair.bob.event('offer')).id);
    new Wire([pair.alice, pair.bob], 'continued');
    const failed = await finished;
    assert.ok(failed.event === 'transfer-failed' && failed.code === 'cancelled');
    assert.deepEqual((await pair.bob.folders()).partial, []);
  });

  it('stays paused by whoever paused it', async (t) => {
    const pair = await linkedPair(t);
    const content = patterned(30 * MiB);
    const { id, finished } = await pair.alice.manager.offer(await pair.alice.file('a', content));
    const cut = pair.wire.cutAfter(3 * MiB);
    await cut;
    await pair.alice.manager.pause(id);
    const wire = new Wire([pair.alice, pair.bob], 'continued');
    await pair.bob.event('transfer-state', ({ waits }) => waits === 'paused-by-peer');
    await pair.alice.message('offers-end');
    assert.equal(wire.bytes, 0);
    await pair.alice.manager.resume(id);
    assert.equal((await finished).event, 'transfer-done');
    assert.deepEqual(await pair.bob.read('a'), content);
  });
});

describe('a source that changes while the link is down', () => {
  async function changed(t: TestContext, change: (path: string) => Promise<void>): Promise<{ pair: Pair; path: string }> {
    const pair = await linkedPair(t);
    const path = await pair.alice.file('a', patterned(24 * MiB));
    const { finished } = await pair.alice.manager.offer(path);
    await brokenAfter(pair, 12 * MiB, () => change(path));
    const outcome = await finished;
    assert.equal(outcome.event, 'transfer-done', JSON.stringify(outcome));
    return { pair, path };
  }

  it('by its time alone goes on behind what is proven', async (t) => {
    const { pair } = await changed(t, (path) => utimes(path, 1, 1));
    assert.deepEqual(await pair.bob.read('a'), patterned(24 * MiB));
  });

  it('in its first byte is sent from the beginning', async (t) => {
    const other = patterned(24 * MiB);
    other[0] = (other[0] ?? 0) ^ 1;
    const { pair } = await changed(t, (path) => writeFile(path, other));
    assert.deepEqual(await pair.bob.read('a'), other);
    assert.deepEqual((await pair.bob.folders()).received, ['a']);
  });

  it('that has grown is offered anew', async (t) => {
    const { pair } = await changed(t, (path) => appendFile(path, 'more'));
    assert.deepEqual(await pair.bob.read('a'), Buffer.concat([patterned(24 * MiB), Buffer.from('more')]));
  });

  it('that has shrunk is offered anew', async (t) => {
    const { pair } = await changed(t, (path) => truncate(path, 5 * MiB));
    assert.deepEqual(await pair.bob.read('a'), patterned(24 * MiB).subarray(0, 5 * MiB));
  });
});

describe('a folder over a link that breaks', () => {
  for (const after of [1, 300_000, 3_000_000]) {
    it(`after ${after} bytes goes on where it was`, async (t) => {
      const pair = await linkedPair(t);
      const sizes = Array.from({ length: 400 }, (_, n) => (n % 50 === 7 ? 400_000 : 300 + n));
      for (const [n, size] of sizes.entries()) await pair.alice.file(`d/${n % 7}/${n}`, patterned(size, n + 1));
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const { finished } = await pair.alice.manager.offer(join(pair.alice.root, 'd'));
      const wire = await brokenAfter(pair, after);
      const sent = await finished;
      assert.equal(sent.event, 'transfer-done', JSON.stringify(sent));
      const got = await pair.bob.event('transfer-done');
      for (const [n, size] of sizes.entries()) assert.deepEqual(await pair.bob.read(`d/${n % 7}/${n}`), patterned(size, n + 1), `${n}`);
      assert.equal(wire.bytes + got.resumed, total);
      assert.deepEqual((await pair.bob.folders()).partial, []);
    });
  }
});

describe('in another run', () => {
  it('a file that the receiver’s program did not finish is continued', async (t) => {
    const pair = await linkedPair(t);
    const content = patterned(24 * MiB);
    const path = await pair.alice.file('a', content);
    const first = await pair.alice.manager.offer(path);
    await pair.wire.cutAfter(16 * MiB);
    await pair.bob.close();
    const bob = await Side.make(t, 'alice', { root: pair.bob.root });
    const wire = new Wire([pair.alice, bob], undefined);
    wire.attach('restarted', 'first');
    // Nobody there has answered yet.
    assert.equal(pair.alice.manager.snapshots()[0]?.state, 'offered');
    assert.equal((await first.finished).event, 'transfer-done');
    assert.deepEqual(await bob.read('a'), content);
    assert.ok(wire.bytes <= content.length - 16 * MiB + transferLimits.windowBytes, `${wire.bytes}`);
  });

  it('a file that the sender’s program did not finish is continued when it is sent again', async (t) => {
    const pair = await linkedPair(t);
    const content = patterned(24 * MiB);
    const path = await pair.alice.file('a', content);
    await pair.alice.manager.offer(path);
    await pair.wire.cutAfter(16 * MiB);
    const alice = await Side.make(t, 'bob');
    const wire = new Wire([alice, pair.bob], undefined);
    wire.attach('first', 'restarted');
    assert.equal((await pair.bob.event('transfer-failed')).code, 'link-lost');
    const again = await alice.manager.offer(path);
    const done = await again.finished;
    assert.ok(done.event === 'transfer-done' && done.resumed >= 16 * MiB - transferLimits.windowBytes, JSON.stringify(done));
    assert.deepEqual(await pair.bob.read('a'), content);
    assert.deepEqual((await pair.bob.folders()).partial, []);
  });

  it('what was left is listed', async (t) => {
    const pair = await linkedPair(t);
    await pair.alice.manager.offer(await pair.alice.file('a', patterned(24 * MiB)));
    await pair.wire.cutAfter(12 * MiB);
    await pair.bob.manager.close('link-lost', 'The test ends it.');
    const [left, ...others] = await pair.bob.store.leftovers();
    assert.deepEqual(others, []);
    assert.deepEqual({ peer: left?.peer, kind: left?.kind, name: left?.name, size: left?.size }, { peer: 'alice', kind: 'file', name: 'a', size: 24 * MiB });
    assert.ok((left?.bytes ?? 0) >= 12 * MiB - transferLimits.windowBytes);
  });
});
