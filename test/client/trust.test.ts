/** Safety numbers, changed keys and WHOIS between real engines, over a real server that may swap keys (HOSTILE 17). */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { ClientOptions } from '../../src/client/options.js';
import { generateIdentity } from '../../src/security/identity.js';
import type { RoutedMessage } from '../../src/server/backend.js';
import { loggedIn, temporaryFolder, type TestClient } from '../helpers/test-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

/** What the server says of those whose key it swaps, by name. */
const swapped = new Map<string, string>();

/** `message` with the keys that the server wants to be believed. */
function lied(message: RoutedMessage): RoutedMessage {
  const lie = <T extends { readonly user: string; readonly fingerprint: string }>(one: T): T => ({ ...one, fingerprint: swapped.get(one.user) ?? one.fingerprint });
  switch (message.kind) {
    case 'asked':
      return { ...message, from: lie(message.from) };
    case 'answered':
      return { ...message, by: lie(message.by) };
    case 'introduced':
      return { ...message, peer: lie(message.peer) };
    default:
      return message;
  }
}

describe('trust between two people', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({
      wrap: (backend) => {
        const deliver = backend.deliver.bind(backend);
        backend.deliver = (to, message) => deliver(to, lied(message));
        return backend;
      },
    });
  });
  after(() => server.dispose());

  let people = 0;
  const person = (t: TestContext, options: Partial<ClientOptions> = {}) => {
    people += 1;
    return loggedIn(t, server.port, `p${String(people).padStart(3, '0')}`, options);
  };
  const nameOf = (client: TestClient) => client.api.user ?? '';

  /** Two who have met and closed their session. */
  async function met(t: TestContext): Promise<[TestClient, TestClient]> {
    const [alice, bob] = [await person(t), await person(t)];
    await alice.api.openSession(nameOf(bob));
    await bob.next('session-opened');
    await alice.api.closeSession();
    await bob.next('session-closed');
    return [alice, bob];
  }

  it('both see the same safety number, in a session and after it', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    await bob.api.openSession(nameOf(alice));
    await alice.next('session-opened');
    const [here, there] = [await alice.api.safetyNumber(nameOf(bob)), await bob.api.safetyNumber(nameOf(alice))];
    assert.deepEqual(here.parts, there.parts);
    assert.deepEqual(here.parts.map(({ user }) => user), [nameOf(alice), nameOf(bob)]);
    await alice.api.closeSession();
    assert.deepEqual(await alice.api.safetyNumber(nameOf(bob).toUpperCase()).then(({ parts }) => parts.map(({ digits }) => digits)), here.parts.map(({ digits }) => digits));
  });

  it('somebody who has sat in between since the first contact shows in the number, on both sides', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    const mallory = generateIdentity().fingerprint;
    for (const [victim, other] of [[alice, bob], [bob, alice]] as const) {
      await writeFile(join(victim.home, 'known_peers'), `${nameOf(other)}@127.0.0.1:${server.port} ${mallory} 2026-01-01\n`);
    }
    const [here, there] = [await alice.api.safetyNumber(nameOf(bob)), await bob.api.safetyNumber(nameOf(alice))];
    for (const part of [0, 1]) {
      assert.notDeepEqual(here.parts[part]?.digits, there.parts[part]?.digits);
      assert.notDeepEqual(here.parts[part]?.words, there.parts[part]?.words);
    }
  });

  it('a verified peer is told of as such when a session opens', async (t) => {
    const [alice, bob] = await met(t);
    assert.equal(alice.api.isVerified(nameOf(bob)), false);
    assert.equal((await alice.api.markVerified(nameOf(bob), true)).verified, true);
    await alice.next('session-opened');
    await bob.api.openSession(nameOf(alice));
    assert.equal((await alice.next('session-opened')).verified, true);
    assert.equal(alice.api.isVerified(nameOf(bob)), true);
  });

  it('a server that swaps a key is blocked in both directions, and nobody gets in under the swapped key', async (t) => {
    const [alice, bob] = await met(t);
    const mallory = generateIdentity().fingerprint;
    swapped.set(nameOf(bob), mallory);
    t.after(() => swapped.clear());
    await assert.rejects(alice.api.openSession(nameOf(bob)), { code: 'peer-key-changed' });
    const outgoing = await alice.next('key-changed');
    assert.deepEqual([outgoing.peer, outgoing.direction, outgoing.offered], [nameOf(bob), 'outgoing', mallory]);
    await assert.rejects(bob.api.openSession(nameOf(alice)), { code: 'unavailable' });
    assert.deepEqual([alice.api.sessions, bob.api.sessions], [[], []]);
    // The lie has left no trace: the next honest word counts.
    swapped.clear();
    await alice.api.openSession(nameOf(bob));
    assert.equal((await alice.next('session-opened', ({ direction }) => direction === 'outgoing')).firstContact, true);
    await assert.rejects(alice.api.acceptKey(nameOf(bob)), { code: 'no-key-change' });
  });

  it('a server that swaps the key of somebody who asks is told of, and the ask refused', async (t) => {
    const [alice, bob] = await met(t);
    const mallory = generateIdentity().fingerprint;
    swapped.set(nameOf(bob), mallory);
    t.after(() => swapped.clear());
    await assert.rejects(bob.api.openSession(nameOf(alice)), { code: 'unavailable' });
    const incoming = await alice.next('key-changed');
    assert.deepEqual([incoming.direction, incoming.offered, incoming.again], ['incoming', mallory, false]);
    assert.deepEqual(alice.events.filter(({ event }) => event === 'warning'), []);
    assert.deepEqual(alice.api.sessions, []);
  });

  it('a changed key is accepted on purpose; then sessions open under it, not verified', async (t) => {
    const home = await temporaryFolder(t);
    const bob = await person(t);
    const old = generateIdentity().fingerprint;
    const pin = `${nameOf(bob)}@127.0.0.1:${server.port}`;
    await writeFile(join(home, 'known_peers'), `${pin} ${old} 2026-01-01 verified=2026-01-02\n`);
    const alice = await person(t, { home });
    assert.equal(alice.api.isVerified(nameOf(bob)), true);
    await assert.rejects(alice.api.openSession(nameOf(bob)), { code: 'peer-key-changed' });
    const { offered } = await alice.next('key-changed');
    const shown = await alice.api.safetyNumber(nameOf(bob));
    assert.deepEqual([shown.key, shown.verified], ['offered', false]);
    await assert.rejects(alice.api.acceptKey(nameOf(bob)), { code: 'bad-argument' });
    assert.deepEqual(await alice.api.acceptKey(nameOf(bob), offered.slice(-8)), { user: nameOf(bob), fingerprint: offered, previous: old, wasVerified: true });
    await alice.api.openSession(nameOf(bob));
    assert.equal((await alice.next('session-opened')).verified, false);
    await bob.next('session-opened');
    assert.deepEqual((await bob.api.safetyNumber(nameOf(alice))).parts, shown.parts);
    const text = await readFile(join(home, 'known_peers'), 'utf8');
    assert.ok(text.startsWith(`# ${pin} ${old} 2026-01-01 verified=2026-01-02 replaced=`));
  });

  it('a session ends when another key is accepted for its peer', async (t) => {
    const [alice, bob] = [await person(t), await person(t)];
    await alice.api.openSession(nameOf(bob));
    await alice.api.acceptKey(nameOf(bob), generateIdentity().fingerprint);
    assert.deepEqual(alice.api.sessions, []);
    assert.equal((await alice.next('session-closed')).code, 'closed-by-you');
    await assert.rejects(bob.api.openSession(nameOf(alice)), { code: 'unavailable' });
    assert.equal((await alice.next('key-changed')).direction, 'incoming');
  });

  describe('WHOIS', () => {
    it('tells of a session: path, addresses, round trip, age, bytes', async (t) => {
      const [alice, bob] = [await person(t), await person(t)];
      const began = Date.now();
      const { addresses, fingerprint } = await alice.api.openSession(nameOf(bob));
      const before = await alice.api.whois(nameOf(bob));
      await alice.api.say('x'.repeat(5_000));
      const { session, ...info } = await alice.api.whois(nameOf(bob).toUpperCase());
      assert.deepEqual(info, { user: nameOf(bob), self: false, online: true, fingerprint, since: new Date().toISOString().slice(0, 10), verified: false });
      assert.ok(session !== undefined && before.session !== undefined);
      assert.deepEqual([session.state, session.direction, session.path, session.addresses], ['open', 'outgoing', 'direct', addresses]);
      assert.ok(Math.abs(Date.parse(session.since) - began) < 60_000);
      assert.ok(session.roundTripMs !== undefined && session.roundTripMs >= 0 && session.roundTripMs < 3_000);
      assert.ok(session.bytesSent >= before.session.bytesSent + 5_000 && session.bytesReceived > before.session.bytesReceived);
      const back = await bob.api.whois(nameOf(alice));
      assert.ok((back.session?.bytesReceived ?? 0) >= session.bytesSent);
    });

    it('tells of somebody without a session, away, offline, never met, and of oneself', async (t) => {
      const [alice, bob] = await met(t);
      await bob.api.setAway('lunch');
      const away = await alice.api.whois(nameOf(bob));
      assert.deepEqual([away.online, away.away, away.session], [true, 'lunch', undefined]);
      await bob.api.close();
      await server.logged(new RegExp(`link ended.*${nameOf(bob)}|${nameOf(bob)}.*link ended`, 'u'));
      const gone = await alice.api.whois(nameOf(bob));
      assert.deepEqual([gone.online, gone.fingerprint !== undefined], [false, true]);
      await assert.rejects(alice.api.whois('nobody-at-all'), { code: 'unknown-peer' });
      const carol = await person(t);
      const stranger = await alice.api.whois(nameOf(carol));
      assert.deepEqual([stranger.online, stranger.fingerprint], [true, undefined]);
      const self = await alice.api.whois(nameOf(alice));
      assert.deepEqual([self.self, self.online, self.fingerprint], [true, true, (await alice.next('logged-in')).fingerprint]);
    });
  });
});
