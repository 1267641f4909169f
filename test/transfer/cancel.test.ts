/** Offers answered and transfers stopped, at every stage and from both sides. */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Folders, linkedPair, patterned, type Pair } from './harness.js';

const MiB = 1024 * 1024;
const folders = new Folders();
after(() => folders.remove());

/** Both sides have failed with `code`, nothing is left on the disk or in memory, and the session still carries a file. */
async function bothFailed(pair: Pair, code: string): Promise<void> {
  const { alice, bob, violations } = pair;
  const [sender, receiver] = [await alice.event('transfer-failed', 1), await bob.event('transfer-failed', 1)];
  assert.deepEqual([sender.code, receiver.code], [code, code]);
  // One side gives the reason, the other shows it as the first one's words.
  const asTold = [`${sender.peer} says: "${receiver.message}"`, `${receiver.peer} says: "${sender.message}"`];
  assert.ok(sender.message === asTold[0] || receiver.message === asTold[1], `${sender.message} | ${receiver.message}`);
  assert.deepEqual(await bob.folders().then(({ partial }) => partial), []);
  assert.ok(!(await bob.folders()).received.includes('big'));
  assert.deepEqual([alice.manager.snapshots(), bob.manager.snapshots()], [[], []]);
  const next = await alice.manager.offerFile(await alice.file('next', 'still here'));
  const { id } = (await bob.events.first((event) => event.event === 'offer' && event.name === 'next')) as { id: number };
  if (bob.manager.hasOffer(id)) await bob.manager.accept(id);
  assert.equal((await next.finished).event, 'transfer-done');
  assert.deepEqual(violations.all, []);
}

async function offered(policy: 'ask' | 'all' | 'none'): Promise<Pair> {
  const pair = await linkedPair(folders, { bob: { policy } });
  await pair.alice.manager.offerFile(await pair.alice.file('big', patterned(24 * MiB)));
  return pair;
}

describe('an offer', () => {
  it('waits until it is accepted where the policy is to ask', async () => {
    const pair = await offered('ask');
    await pair.bob.event('offer');
    assert.equal(pair.bob.sent.all.length, 0);
    assert.deepEqual(pair.bob.manager.snapshots().map(({ state, bytes }) => ({ state, bytes })), [{ state: 'offered', bytes: 0 }]);
    await pair.bob.manager.accept(1);
    assert.equal((await pair.alice.event('transfer-done')).bytes, 24 * MiB);
  });

  it('is declined by the person', async () => {
    const pair = await offered('ask');
    await pair.bob.event('offer');
    await pair.bob.manager.reject(1);
    await bothFailed(pair, 'rejected');
  });

  it('is declined by policy, with no question', async () => {
    const { alice, bob } = await offered('none');
    assert.equal((await alice.event('transfer-failed')).code, 'rejected-by-policy');
    assert.deepEqual(bob.events.all.map((event) => event.event), ['transfer-failed']);
    assert.deepEqual(await bob.folders(), { received: [], partial: [] });
  });

  it('is taken back by the sender', async () => {
    const pair = await offered('ask');
    await pair.bob.event('offer');
    await pair.alice.manager.cancel(1);
    await bothFailed(pair, 'cancelled');
  });

  it('that nobody made cannot be answered', async () => {
    const { alice, bob } = await offered('ask');
    await bob.event('offer');
    await assert.rejects(bob.manager.accept(2), { code: 'no-such-offer' });
    await assert.rejects(alice.manager.accept(1), { code: 'no-such-offer' });
    await assert.rejects(bob.manager.cancel(7), { code: 'no-such-transfer' });
    assert.deepEqual([bob.manager.has(1), bob.manager.hasOffer(1), bob.manager.has(2), alice.manager.hasOffer(1)], [true, true, false, false]);
  });
});

describe('a transfer', () => {
  it('is stopped by the sender in the middle', async () => {
    const pair = await offered('all');
    await pair.bob.message('credit');
    await pair.alice.manager.cancel(1);
    await bothFailed(pair, 'cancelled');
  });

  it('is stopped by the receiver in the middle; what is on its way is dropped', async () => {
    const pair = await offered('all');
    await pair.bob.message('credit');
    await pair.bob.manager.cancel(1);
    await bothFailed(pair, 'cancelled');
  });

  it('is stopped by the sender at once after the answer, before the file is open', async () => {
    const pair = await linkedPair(folders, { bob: { policy: 'ask' } });
    await pair.alice.manager.offerFile(await pair.alice.file('big', patterned(MiB)));
    await pair.bob.event('offer');
    const accepted = pair.bob.manager.accept(1);
    const cancelled = pair.alice.manager.cancel(1);
    await Promise.all([accepted, cancelled]);
    await bothFailed(pair, 'cancelled');
  });

  it('is stopped by the receiver while it makes the partial', async () => {
    const pair = await linkedPair(folders, { bob: { policy: 'ask' } });
    await pair.alice.manager.offerFile(await pair.alice.file('big', patterned(MiB)));
    await pair.bob.event('offer');
    const accepted = pair.bob.manager.accept(1);
    await Promise.all([pair.bob.manager.cancel(1), accepted]);
    assert.deepEqual(pair.bob.sent.all.map((message) => message.type), ['reject']);
    await bothFailed(pair, 'cancelled');
  });

  it('stopped by both at the same time ends once on each side', async () => {
    const pair = await offered('all');
    await pair.bob.message('credit');
    await Promise.all([pair.alice.manager.cancel(1), pair.bob.manager.cancel(1)]);
    const failures = [...pair.alice.events.all, ...pair.bob.events.all].filter((event) => event.event === 'transfer-failed');
    assert.deepEqual(failures.map((event) => event.code), ['cancelled', 'cancelled']);
    assert.deepEqual(pair.violations.all, []);
    assert.deepEqual(await pair.bob.folders(), { received: [], partial: [] });
  });
});

describe('the end of the session', () => {
  it('fails everything on this side, says nothing on the link and leaves no partial', async () => {
    const { alice, bob } = await offered('all');
    await bob.manager.offerFile(await bob.file('other', 'x')).then(({ finished }) => finished);
    await bob.message('credit');
    const saidBefore = bob.sent.all.filter(({ type }) => type === 'cancel' || type === 'reject').length;
    await Promise.all([bob.manager.close('link-lost', 'The link broke.'), alice.manager.close('session-closed', 'Closed.')]);
    assert.equal((await bob.event('transfer-failed')).code, 'link-lost');
    assert.equal((await alice.event('transfer-failed')).code, 'session-closed');
    assert.deepEqual(await bob.folders(), { received: [], partial: [] });
    assert.equal(bob.sent.all.filter(({ type }) => type === 'cancel' || type === 'reject').length, saidBefore);
  });

  it('is idempotent, and nothing begins after it', async () => {
    const { alice, bob } = await offered('ask');
    await bob.event('offer');
    assert.equal(bob.manager.close('session-closed', 'one'), bob.manager.close('link-lost', 'two'));
    await bob.manager.close('link-lost', 'three');
    assert.equal((await bob.event('transfer-failed')).message, 'one');
    bob.manager.handleMessage({ type: 'offer', transfer: 9, kind: 'file', name: 'late', size: 1 });
    bob.manager.handleData(77, 0, Buffer.from('late'));
    assert.equal(bob.events.all.filter((event) => event.event === 'offer').length, 1);
    await assert.rejects(bob.manager.offerFile(await bob.file('late', '')), { code: 'session-closed' });
    await alice.manager.close('session-closed', 'end');
  });
});
