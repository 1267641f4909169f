/** Trust in keys of peers: a changed key is told of, blocks, and is accepted only on purpose; what was verified is lost with its key. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ClientEventOf } from '../../src/client/api.js';
import { PeerTrust } from '../../src/client/peer-trust.js';
import { clientLimits, timeLimits } from '../../src/protocol/limits.js';
import { generateIdentity } from '../../src/security/identity.js';
import { PinFile } from '../../src/security/pins.js';
import { ManualClock } from '../helpers/manual-clock.js';

const key = () => generateIdentity().fingerprint;
const end = (fingerprint: string) => fingerprint.slice(-clientLimits.keyEndChars);

/** Alice, who has met bob. */
async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'trust-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'known_peers');
  const clock = new ManualClock();
  const told: ClientEventOf<'key-changed'>[] = [];
  const own = key();
  const sessions = new Set<string>();
  const make = () =>
    new PeerTrust({
      user: 'alice',
      fingerprint: own,
      serverName: 'server:1',
      knownPeers: new PinFile(file, 'peers'),
      clock,
      hasSession: (peer) => sessions.has(peer),
      onChanged: (change) => told.push(change),
    });
  const trust = make();
  const bob = key();
  assert.equal(await trust.check('bob', bob, 'outgoing'), true);
  await trust.met('bob', bob, true, 'outgoing');
  return { trust, make, bob, own, told, clock, sessions, file };
}

describe('a changed key', () => {
  it('is refused and told of with both keys, whoever asks', async (t) => {
    const { trust, bob, told } = await setUp(t);
    const other = key();
    await assert.rejects(trust.check('Bob', other, 'incoming'), { code: 'peer-key-changed', message: /ACCEPT_KEY Bob/u });
    const since = new Date().toISOString().slice(0, 10);
    assert.deepEqual(told, [{ event: 'key-changed', peer: 'Bob', direction: 'incoming', known: bob, since, verified: false, offered: other, again: false }]);
    await assert.rejects(trust.check('bob', other, 'outgoing'), { code: 'peer-key-changed' });
    assert.deepEqual([told[1]?.direction, told[1]?.again], ['outgoing', true]);
    assert.equal(await trust.check('bob', bob, 'incoming'), false);
  });

  it('that asks again and again is told of once a minute', async (t) => {
    const { trust, told, clock } = await setUp(t);
    const other = key();
    for (let n = 0; n < 5; n += 1) await assert.rejects(trust.check('bob', other, 'incoming'));
    assert.equal(told.length, 1);
    clock.advance(timeLimits.keyChangeToldMs);
    await assert.rejects(trust.check('bob', other, 'incoming'));
    assert.equal(told.length, 2);
  });

  it('with another key every time fills neither memory nor screen', async (t) => {
    const { trust, told } = await setUp(t);
    for (let n = 0; n < 50; n += 1) await assert.rejects(trust.check('bob', key(), 'incoming'));
    assert.equal(trust.undecided('bob').length, clientLimits.offeredKeys);
    assert.equal(told.length, clientLimits.offeredKeys);
  });

  it('counts after ACCEPT_KEY, and the old one does not any more', async (t) => {
    const { trust, bob, file, make } = await setUp(t);
    const other = key();
    await assert.rejects(trust.check('bob', other, 'outgoing'));
    assert.deepEqual(await trust.accept('BOB', undefined), { user: 'BOB', fingerprint: other, previous: bob, wasVerified: false });
    assert.equal(await trust.check('bob', other, 'outgoing'), false);
    await assert.rejects(make().check('bob', bob, 'outgoing'), { code: 'peer-key-changed' });
    assert.ok((await readFile(file, 'utf8')).includes(`# bob@server:1 ${bob} `));
  });

  it('is not accepted where none waits, unless it is named whole', async (t) => {
    const { trust, bob, own } = await setUp(t);
    await assert.rejects(trust.accept('bob', undefined), { code: 'no-key-change' });
    await assert.rejects(trust.accept('bob', end(key())), { code: 'no-key-change' });
    await assert.rejects(trust.accept('bob', bob), { code: 'no-key-change' });
    await assert.rejects(trust.accept('bob', own), { code: 'bad-argument' });
    const other = key();
    assert.equal((await trust.accept('bob', other)).fingerprint, other);
    assert.equal(await trust.check('bob', other, 'incoming'), false);
  });

  it('must be named where several were offered', async (t) => {
    const { trust } = await setUp(t);
    const [one, two] = [key(), key()];
    for (const other of [one, two]) await assert.rejects(trust.check('bob', other, 'incoming'));
    await assert.rejects(trust.accept('bob', undefined), (error: Error) => error.message.includes(one) && error.message.includes(two));
    await assert.rejects(trust.safetyNumber('bob'), { code: 'peer-key-changed' });
    assert.equal((await trust.accept('bob', end(two))).fingerprint, two);
    assert.deepEqual(trust.undecided('bob'), []);
  });

  it('is forgotten when the known one comes back', async (t) => {
    const { trust, bob } = await setUp(t);
    await assert.rejects(trust.check('bob', key(), 'incoming'));
    await trust.met('bob', bob, false, 'incoming');
    await assert.rejects(trust.accept('bob', undefined), { code: 'no-key-change' });
  });
});

describe('a verified peer', () => {
  it('is known as such at once, and to the next run', async (t) => {
    const { trust, make } = await setUp(t);
    assert.equal(trust.isVerified('bob'), false);
    const info = await trust.markVerified('Bob', true);
    assert.deepEqual([info.verified, info.verifiedOn, trust.isVerified('BOB')], [true, new Date().toISOString().slice(0, 10), true]);
    const next = make();
    await next.load();
    assert.equal(next.isVerified('bob'), true);
    assert.equal((await next.markVerified('bob', false)).verified, false);
    assert.equal(next.isVerified('bob'), false);
  });

  it('whose key changed is not accepted by name, nor by a short or wrong end', async (t) => {
    const { trust, bob, told } = await setUp(t);
    await trust.markVerified('bob', true);
    const other = key();
    await assert.rejects(trust.check('bob', other, 'outgoing'), { code: 'peer-key-changed', message: /last 8 characters/u });
    assert.equal(told[0]?.verified, true);
    for (const wrong of [undefined, end(other).slice(1), end(bob), 'SHA256:']) await assert.rejects(trust.accept('bob', wrong), { code: 'bad-argument' }, wrong ?? 'none');
    assert.deepEqual(await trust.accept('bob', end(other)), { user: 'bob', fingerprint: other, previous: bob, wasVerified: true });
  });

  it('is not verified any more under another key', async (t) => {
    const { trust, make } = await setUp(t);
    await trust.markVerified('bob', true);
    const other = key();
    await assert.rejects(trust.check('bob', other, 'outgoing'));
    await trust.accept('bob', end(other));
    assert.equal(trust.isVerified('bob'), false);
    const next = make();
    await next.load();
    assert.equal(next.isVerified('bob'), false);
  });

  it('is none under a key that was not accepted; the number shown is that of the new key', async (t) => {
    const { trust, bob, sessions } = await setUp(t);
    const before = await trust.safetyNumber('bob');
    const other = key();
    await assert.rejects(trust.check('bob', other, 'outgoing'));
    const info = await trust.safetyNumber('bob');
    assert.deepEqual([info.key, info.fingerprint, info.verified], ['offered', other, false]);
    assert.notDeepEqual(info.parts[1]?.digits, before.parts[1]?.digits);
    await assert.rejects(trust.markVerified('bob', true), { code: 'peer-key-changed' });
    // A session under the known key is that of the known key.
    sessions.add('bob');
    assert.deepEqual([(await trust.safetyNumber('bob')).fingerprint, (await trust.safetyNumber('bob')).key], [bob, 'known']);
  });
});

describe('the number that was shown last', () => {
  it('is the one that is verified: not the known key, which came back while the new one was compared', async (t) => {
    const { trust, bob, sessions } = await setUp(t);
    const other = key();
    await assert.rejects(trust.check('bob', other, 'outgoing'));
    assert.equal((await trust.safetyNumber('bob')).fingerprint, other);
    await trust.met('bob', bob, false, 'incoming');
    sessions.add('bob');
    await assert.rejects(trust.markVerified('Bob', true), { code: 'peer-key-changed' });
    assert.equal(trust.isVerified('bob'), false);
    assert.equal((await trust.safetyNumber('bob')).fingerprint, bob);
    assert.equal((await trust.markVerified('bob', true)).verified, true);
  });

  it('is not said to be verified where the known key was changed at that moment', async (t) => {
    const { bob, clock, file, own } = await setUp(t);
    const pins = new PinFile(file, 'peers');
    const trust = new PeerTrust({
      user: 'alice',
      fingerprint: own,
      serverName: 'server:1',
      knownPeers: {
        all: () => pins.all(),
        entry: (name) => pins.entry(name),
        add: (name, fingerprint) => pins.add(name, fingerprint),
        replace: (name, fingerprint) => pins.replace(name, fingerprint),
        setVerified: async (name, fingerprint, verified) => {
          assert.equal(fingerprint, bob);
          await pins.replace(name, key());
          return await pins.setVerified(name, fingerprint, verified);
        },
      },
      clock,
      hasSession: () => false,
      onChanged: () => undefined,
    });
    await assert.rejects(trust.markVerified('bob', true), { code: 'peer-key-changed' });
  });

  it('is verified once it is accepted', async (t) => {
    const { trust } = await setUp(t);
    const other = key();
    await trust.safetyNumber('bob');
    await assert.rejects(trust.check('bob', other, 'outgoing'));
    await trust.accept('bob', undefined);
    assert.equal((await trust.markVerified('bob', true)).fingerprint, other);
  });
});

describe('somebody who was never met', () => {
  it('has no safety number, and cannot be verified', async (t) => {
    const { trust } = await setUp(t);
    await assert.rejects(trust.safetyNumber('carol'), { code: 'unknown-peer', message: /GET_CLIENT_INFO carol/u });
    await assert.rejects(trust.markVerified('carol', true), { code: 'unknown-peer' });
    await assert.rejects(trust.safetyNumber('Alice'), { code: 'bad-argument' });
  });

  it('and is met with another key than one that came first at the same moment is refused', async (t) => {
    const { trust } = await setUp(t);
    const [one, two] = [key(), key()];
    await trust.met('carol', one, true, 'incoming');
    await assert.rejects(trust.met('carol', two, true, 'incoming'), { code: 'peer-key-changed' });
  });

  it('cannot have the own key', async (t) => {
    const { trust, own } = await setUp(t);
    await assert.rejects(trust.check('mallory', own, 'incoming'), { code: 'peer-key-wrong' });
  });
});
