/** AWAY, who came and went, and BLOCK between real engines over a real server. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { ClientOptions } from '../../src/client/options.js';
import { systemClock, type Clock } from '../../src/net/clock.js';
import { timeLimits } from '../../src/protocol/limits.js';
import { loggedIn, PASSWORD, testClient, type TestClient } from '../helpers/test-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

/** Four times as fast: news settle for seconds. */
const SPEED = 4;
const fast: Clock = {
  now: () => systemClock.now() * SPEED,
  after: (ms, action) => systemClock.after(ms / SPEED, action),
  every: (ms, action) => systemClock.every(ms / SPEED, action),
};

describe('people', { timeout: 180_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ clock: fast });
  });
  after(() => server.dispose());

  let people = 0;
  const person = (t: TestContext, options: Partial<ClientOptions> = {}) => {
    people += 1;
    return loggedIn(t, server.port, `P${people}`, { clock: fast, ...options });
  };
  const nameOf = (client: TestClient) => client.api.user ?? '';

  async function meet(alice: TestClient, bob: TestClient): Promise<void> {
    await alice.api.openSession(nameOf(bob));
    await Promise.all([alice.next('session-opened'), bob.next('session-opened')]);
  }

  it('shows in the list who is away, and tells those who have talked to them', async (t) => {
    const [alice, bob, carol] = [await person(t), await person(t), await person(t)];
    await meet(alice, bob);
    await bob.api.setAway('lunch');
    const told = await alice.next('presence');
    assert.deepEqual([told.user, told.state, told.text], [nameOf(bob), 'away', 'lunch']);
    assert.deepEqual((await carol.api.listClients(nameOf(bob))).away, [{ user: nameOf(bob), text: 'lunch' }]);
    await bob.api.setAway();
    assert.equal((await alice.next('presence')).state, 'online');
    assert.equal((await carol.api.listClients(nameOf(bob))).away, undefined);
    assert.deepEqual(carol.events.filter(({ event }) => event === 'presence'), []);
  });

  it('tells who of those met in an earlier run comes and goes', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    await meet(alice, bob);
    await alice.api.close();
    const again = await loggedIn(t, server.port, nameOf(alice), { home: alice.home, known: true, clock: fast });
    assert.deepEqual((await again.next('people')).people, [{ user: nameOf(bob), state: 'online' }]);
    await bob.api.close();
    assert.equal((await again.next('presence')).state, 'offline');
    await loggedIn(t, server.port, nameOf(bob), { home: bob.home, known: true, clock: fast });
    assert.equal((await again.next('presence')).state, 'online');
  });

  it('tells how it is with anybody who is asked after, and what follows', async (t) => {
    const alice = await person(t);
    assert.deepEqual(await alice.api.watchUser(`P${people + 1}`), { user: `P${people + 1}`, state: 'offline' });
    const bob = await person(t);
    assert.equal((await alice.next('presence')).state, 'online');
    assert.deepEqual(await alice.api.watchUser(nameOf(bob)), { user: nameOf(bob), state: 'online' });
  });

  it('looks to the blocked as if offline: the same code, the same words, not sooner', async (t) => {
    const [alice, mallory] = [await person(t, { sessions: 'ask' }), await person(t)];
    const outcome = await alice.api.block(nameOf(mallory).toUpperCase());
    assert.equal(outcome.known, true);
    const attempt = async (user: string) => {
      // Timers are whole milliseconds of the real clock.
      const began = fast.now();
      const error = await mallory.api.openSession(user).then(() => undefined, (reason: unknown) => reason as { code: string; message: string });
      return { code: error?.code, message: error?.message.replaceAll(user, 'NAME'), waited: fast.now() - began >= timeLimits.unavailableMs - 2 * SPEED };
    };
    const [blocked, unknown] = [await attempt(nameOf(alice)), await attempt('nobody')];
    assert.deepEqual(blocked, unknown);
    assert.deepEqual([blocked.code, blocked.waited], ['unavailable', true]);
    assert.deepEqual(alice.events.filter(({ event }) => event === 'session-request' || event === 'warning'), []);
  });

  it('ends the session and its transfers, and hides what they say of themselves', async (t) => {
    const [alice, mallory] = [await person(t), await person(t)];
    await meet(mallory, alice);
    const path = join(mallory.home, 'file');
    await writeFile(path, 'unwanted');
    await mallory.api.sendFile(path);
    await alice.next('offer');
    await alice.api.block(nameOf(mallory));
    assert.equal((await alice.next('transfer-failed')).code, 'session-closed');
    assert.equal((await mallory.next('session-closed')).code, 'closed-by-peer');
    assert.deepEqual([alice.api.sessions, alice.api.transfers], [[], []]);
    await mallory.api.setAway('read this!');
    const list = await alice.api.listClients(nameOf(mallory));
    assert.deepEqual([list.clients.includes(nameOf(mallory)), list.away], [true, undefined]);
    await assert.rejects(alice.api.openSession(nameOf(mallory)), { code: 'blocked', message: /UNBLOCK/u });
    assert.deepEqual(alice.api.people, []);
  });

  it('refuses a request that waits for its answer when the one who asks is blocked', async (t) => {
    const [alice, mallory] = [await person(t, { sessions: 'ask' }), await person(t)];
    const asking = assert.rejects(mallory.api.openSession(nameOf(alice)), { code: 'unavailable' });
    await alice.next('session-request');
    await alice.api.block(nameOf(mallory));
    await assert.rejects(alice.api.answerSession(true), { code: 'no-session' });
    await asking;
  });

  it('opens no session with somebody whom the person has blocked while asking', async (t) => {
    const [alice, mallory] = [await person(t), await person(t, { sessions: 'ask' })];
    const asking = assert.rejects(alice.api.openSession(nameOf(mallory)), { code: 'blocked' });
    await mallory.next('session-request');
    await alice.api.block(nameOf(mallory));
    await mallory.api.answerSession(true);
    await asking;
    await mallory.next('session-closed');
    assert.deepEqual([alice.api.sessions, alice.events.filter(({ event }) => event === 'session-opened')], [[], []]);
  });

  it('keeps the block for the next run, under another name too, until it is taken back', async (t) => {
    const [alice, mallory] = [await person(t), await person(t)];
    await meet(mallory, alice);
    const { fingerprint } = await alice.api.block(nameOf(mallory));
    assert.equal(fingerprint, (await mallory.next('logged-in')).fingerprint);
    await alice.api.close();
    const path = join(alice.home, 'blocked');
    await writeFile(path, (await readFile(path, 'utf8')).replace(/^p\d+@/mu, 'other@'));
    const again = await loggedIn(t, server.port, nameOf(alice), { home: alice.home, known: true, clock: fast });
    assert.deepEqual(again.api.blocked.map((one) => [one.user, one.fingerprint]), [['other', fingerprint]]);
    await mallory.next('session-closed');
    await assert.rejects(mallory.api.openSession(nameOf(again)), { code: 'unavailable' });
    await assert.rejects(again.api.openSession(nameOf(mallory)), { code: 'blocked', message: /same key/u });
    assert.deepEqual(again.api.sessions, []);
    await again.api.unblock('Other');
    assert.deepEqual(again.api.blocked, []);
    await meet(mallory, again);
  });

  it('takes a block back that was made under another address of the server', async (t) => {
    const [alice, mallory] = [await person(t), await person(t)];
    await meet(mallory, alice);
    await alice.api.block(nameOf(mallory));
    await alice.api.close();
    const path = join(alice.home, 'blocked');
    await writeFile(path, (await readFile(path, 'utf8')).replace('@127.0.0.1:', '@localhost:'));
    const again = await loggedIn(t, server.port, nameOf(alice), { home: alice.home, known: true, clock: fast });
    await mallory.next('session-closed');
    await assert.rejects(mallory.api.openSession(nameOf(again)), { code: 'unavailable' });
    await again.api.unblock(nameOf(mallory));
    await meet(mallory, again);
  });

  it('blocks a name that nobody has, and says so; not oneself, not what is no name', async (t) => {
    const alice = await person(t);
    assert.deepEqual(await alice.api.block('Nobody'), { user: 'nobody', known: false });
    assert.deepEqual(alice.api.blocked.map(({ user }) => user), ['nobody']);
    await assert.rejects(alice.api.block(nameOf(alice).toLowerCase()), { code: 'bad-argument', message: /That is you/u });
    await assert.rejects(alice.api.block('no name'), { code: 'bad-name' });
    await assert.rejects(alice.api.unblock('stranger'), { code: 'bad-argument', message: /LIST_BLOCKED/u });
    assert.match(await readFile(join(alice.home, 'blocked'), 'utf8'), new RegExp(`^nobody@127\\.0\\.0\\.1:${server.port} - \\d{4}-\\d\\d-\\d\\d$`, 'mu'));
  });

  it('lets nobody in while the file of the blocked cannot be read', async (t) => {
    const alice = await testClient(t, { port: server.port });
    await writeFile(join(alice.home, 'blocked'), 'nonsense\n');
    await alice.api.connect();
    await assert.rejects(alice.api.register('unlucky', PASSWORD), { code: 'bad-block-list', message: /Line 1 of .*start again/u });
  });
});
