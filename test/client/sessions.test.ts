/** Sessions between real engines over a real server: opening, chat, which one is current, the end (issue: peer link, chat). */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { ClientOptions } from '../../src/client/options.js';
import { generateIdentity } from '../../src/security/identity.js';
import { loggedIn, temporaryFolder, type TestClient } from '../helpers/test-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

describe('sessions', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.dispose());

  let people = 0;
  /** A new account; names sort in the order in which they are made. */
  const person = (t: TestContext, options: Partial<ClientOptions> = {}) => {
    people += 1;
    return loggedIn(t, server.port, `p${String(people).padStart(3, '0')}`, options);
  };
  const nameOf = (client: TestClient) => client.api.user ?? '';

  it('opens on both sides, carries chat both ways, and ends on both', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    const info = await alice.api.openSession(nameOf(bob));
    const atBob = await bob.next('session-opened');
    const atAlice = await alice.next('session-opened');
    assert.deepEqual([atAlice.direction, atBob.direction], ['outgoing', 'incoming']);
    assert.deepEqual([atAlice.path, atAlice.firstContact, atAlice.current, atBob.current], ['direct', true, true, true]);
    assert.equal(info.fingerprint, (await bob.next('logged-in')).fingerprint);
    assert.equal(info.addresses[0], atAlice.address);

    await Promise.all([alice.api.say('hello, bob\nsecond line'), bob.api.say('hello, alice')]);
    assert.equal((await bob.next('message', ({ direction }) => direction === 'in')).text, 'hello, bob\nsecond line');
    assert.equal((await alice.next('message', ({ direction }) => direction === 'in')).text, 'hello, alice');

    await assert.rejects(alice.api.disconnect(), { code: 'session-open', message: /CLOSE_SESSION/u });
    await alice.api.closeSession();
    assert.equal((await alice.next('session-closed')).code, 'closed-by-you');
    assert.equal((await bob.next('session-closed')).code, 'closed-by-peer');
    assert.deepEqual([alice.api.current, bob.api.current], [undefined, undefined]);
    await assert.rejects(alice.api.say('anybody?'), { code: 'no-session', message: /GET_CLIENT_INFO/u });
    await alice.api.disconnect();
    assert.equal((await alice.next('disconnected')).code, 'closed');
  });

  it('knows the peer the second time', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    for (const first of [true, false]) {
      await alice.api.openSession(nameOf(bob));
      assert.equal((await alice.next('session-opened')).firstContact, first);
      assert.equal((await bob.next('session-opened')).firstContact, first);
      await alice.api.closeSession();
      await bob.next('session-closed');
    }
    const text = await readFile(join(alice.home, 'known_peers'), 'utf8');
    assert.match(text, new RegExp(`^${nameOf(bob)}@127\\.0\\.0\\.1:${server.port} SHA256:`, 'mu'));
    assert.equal((await stat(join(alice.home, 'known_peers'))).mode & 0o777, 0o600);
  });

  it('runs several at once; an incoming one becomes current only when there is none', async (t) => {
    const [alice, bob, carol] = [await person(t), await person(t), await person(t)];
    await alice.api.openSession(nameOf(bob));
    await carol.api.openSession(nameOf(alice));
    assert.equal((await alice.next('session-opened', ({ peer }) => peer === nameOf(carol))).current, false);
    assert.equal(alice.api.current, nameOf(bob));
    await Promise.all([carol.api.say('from carol'), bob.next('session-opened').then(() => bob.api.say('from bob')), alice.api.say('to bob'), alice.api.say('to carol', nameOf(carol))]);
    assert.equal((await carol.next('message', ({ direction }) => direction === 'in')).text, 'to carol');
    assert.equal((await bob.next('message', ({ direction }) => direction === 'in')).text, 'to bob');
    alice.api.switchSession(nameOf(carol).toUpperCase());
    await alice.api.closeSession();
    assert.deepEqual(alice.api.sessions, [nameOf(bob)]);
    // What is typed now must not reach bob by accident.
    assert.equal(alice.api.current, undefined);
    await assert.rejects(alice.api.say('to whom?'), { code: 'no-session', message: /SWITCH_SESSION/u });
    assert.equal((await alice.api.openSession(nameOf(bob))).user, nameOf(bob));
    assert.equal(alice.api.current, nameOf(bob));
  });

  it('gives each a number that stays, and switches by it', async (t) => {
    const [alice, bob, carol, dave] = [await person(t), await person(t), await person(t), await person(t)];
    for (const other of [bob, carol]) await alice.api.openSession(nameOf(other));
    const numbers = () => [bob, carol, dave].map((other) => alice.api.sessionNumber(nameOf(other)));
    assert.deepEqual(numbers(), [1, 2, undefined]);
    assert.equal(alice.api.switchSession(1), nameOf(bob));
    await alice.api.closeSession();
    // Whoever means carol with 2 must not reach somebody else now.
    assert.deepEqual(numbers(), [undefined, 2, undefined]);
    assert.throws(() => alice.api.switchSession(1), { code: 'no-session', message: new RegExp(`Open are: 2 ${nameOf(carol)}`, 'u') });
    await alice.api.openSession(nameOf(dave));
    assert.deepEqual(numbers(), [undefined, 2, 1]);
    assert.equal(alice.api.switchSession('2'), nameOf(carol));
    assert.equal(alice.api.current, nameOf(carol));
  });

  it('makes one session of two crossed asks', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    for (let round = 0; round < 3; round += 1) {
      await Promise.all([alice.api.openSession(nameOf(bob)), bob.api.openSession(nameOf(alice))]);
      assert.deepEqual([alice.api.sessions, bob.api.sessions], [[nameOf(bob)], [nameOf(alice)]]);
      await Promise.all([alice.api.say('one'), bob.api.say('one')]);
      await alice.api.closeSession();
      await bob.next('session-closed');
    }
    for (const { events } of [alice, bob]) assert.equal(events.filter(({ event }) => event === 'session-opened').length, 3);
  });

  it('asks the person first with --sessions ask, and looks like nobody when refused', async (t) => {
    const [alice, bob] = [await person(t), await person(t, { sessions: 'ask' })];
    const refused = assert.rejects(alice.api.openSession(nameOf(bob)), { code: 'unavailable' });
    const request = await bob.next('session-request');
    assert.equal(request.peer, nameOf(alice));
    await bob.api.answerSession(false);
    await refused;
    const unknown = await alice.api.openSession('nobody-at-all').catch((error: unknown) => error as Error);
    const self = await alice.api.openSession(nameOf(alice)).catch((error: unknown) => error as Error);
    assert.ok(unknown instanceof Error && self instanceof Error);
    assert.match(unknown.message, /cannot be reached/u);

    const opened = alice.api.openSession(nameOf(bob));
    await bob.next('session-request');
    await bob.api.answerSession(true, nameOf(alice));
    await opened;
    await assert.rejects(bob.api.answerSession(true), { code: 'no-session' });
  });

  it('refuses a peer whose key is not the pinned one, loudly, asked or asking (HOSTILE 17)', async (t) => {
    const home = await temporaryFolder(t);
    const [bob, other] = [await person(t), generateIdentity()];
    await writeFile(join(home, 'known_peers'), `${nameOf(bob)}@127.0.0.1:${server.port} ${other.fingerprint} 2026-01-01\n`);
    const alice = await person(t, { home });
    await assert.rejects(alice.api.openSession(nameOf(bob)), { code: 'peer-key-changed', message: /ACCEPT_KEY/u });
    await assert.rejects(bob.api.openSession(nameOf(alice)), { code: 'unavailable' });
    const asked = await alice.next('key-changed');
    assert.deepEqual([asked.direction, asked.known, asked.since, asked.verified, asked.again], ['outgoing', other.fingerprint, '2026-01-01', false, false]);
    await assert.rejects(alice.api.openSession(nameOf(bob)), { code: 'peer-key-changed' });
    assert.equal((await alice.next('key-changed')).again, true);
    assert.deepEqual(alice.api.sessions, []);
  });

  it('tells at once when the peer is gone, and what was not delivered', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    await alice.api.openSession(nameOf(bob));
    await bob.next('session-opened');
    await bob.api.close();
    const closed = await alice.next('session-closed');
    assert.equal(closed.undelivered, 0);
    await assert.rejects(alice.api.say('too late'), { code: 'no-session' });
  });

  it('is not doubled when the peer comes from another machine', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    const bobName = nameOf(bob);
    await bob.api.openSession(nameOf(alice));
    await alice.next('session-opened');
    // The same account on another machine: the first is displaced at the server, its peer link is still there.
    const again = await loggedIn(t, server.port, bobName, { known: true });
    assert.equal((await bob.next('disconnected')).code, 'displaced');
    await again.api.openSession(nameOf(alice));
    // The first one ended its session when it left.
    await alice.next('session-opened');
    assert.deepEqual(alice.api.sessions, [bobName]);
    await Promise.all([alice.api.say('hello again'), again.next('message')]);
  });

  it('refuses a message that is too long and keeps the session', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    await alice.api.openSession(nameOf(bob));
    await assert.rejects(alice.api.say('x'.repeat(16 * 1024 + 1)), { code: 'message-too-long', message: /SEND_FILE/u });
    // Escaped in JSON, each of these takes six bytes.
    await assert.rejects(alice.api.say('\u0001'.repeat(16 * 1024)), { code: 'message-too-long' });
    await alice.api.say('x'.repeat(16 * 1024));
    assert.equal((await bob.next('message')).text.length, 16 * 1024);
  });

  it('lists everybody online, sorted, by prefix, over several pages', async (t) => {
    const alice = await person(t);
    const { clients, total } = await alice.api.listClients();
    assert.ok(clients.includes(nameOf(alice)));
    assert.deepEqual([...clients].sort(), clients);
    assert.equal(total, clients.length);
    assert.deepEqual((await alice.api.listClients(nameOf(alice).toUpperCase())).clients, [nameOf(alice)]);
    assert.deepEqual((await alice.api.listClients('zzz')).clients, []);
  });
});
