/** AWAY and watching on a real server link (PROTOCOL.md 5.5.1): what is shown to whom, what ends with the link, what is refused. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { serverLimits, timeLimits } from '../../src/protocol/limits.js';
import type { ClientMessageOf } from '../../src/protocol/server-messages.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { RawServerClient } from '../helpers/raw-server-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

describe('away and watching', { timeout: 60_000 }, () => {
  let server: TestServer;
  let clock: ManualClock;
  let alice: RawServerClient;
  let bob: RawServerClient;
  before(async () => {
    clock = new ManualClock();
    server = await startTestServer({ clock, accounts: ['alice', 'Bob'] });
  });
  after(() => server.dispose());
  beforeEach(async () => {
    // Budgets of requests are full again.
    clock.advance(10_000);
    [alice, bob] = [await server.enter('alice'), await server.enter('Bob')];
  });

  async function setAway(client: RawServerClient, text?: string): Promise<void> {
    client.send({ type: 'away', id: client.nextId(), ...(text === undefined ? {} : { text }) });
    await client.expect('away-set');
  }

  async function watch(client: RawServerClient, ...users: string[]) {
    client.send({ type: 'watch', id: client.nextId(), users });
    return (await client.expect('watching')).present;
  }

  it('offers the feature to those who know it', async () => {
    const client = await RawServerClient.connect({ port: server.port });
    client.send({ type: 'hello', versions: [1], features: ['other', 'presence'], agent: 'raw' });
    assert.deepEqual((await client.expect('hello')).features, ['presence']);
    await client.end();
  });

  it('shows in the list who is away and what they say, until they are back', async () => {
    const list = async () => {
      alice.send({ type: 'list', id: alice.nextId(), prefix: '' });
      const { clients, away } = await alice.expect('clients');
      return { clients, away };
    };
    await setAway(bob, 'lunch');
    assert.deepEqual(await list(), { clients: ['alice', 'Bob'], away: [{ user: 'Bob', text: 'lunch' }] });
    await setAway(bob);
    assert.deepEqual(await list(), { clients: ['alice', 'Bob'], away: undefined });
  });

  it('tells a watcher who is there, then who comes, goes and is away', async () => {
    assert.deepEqual(await watch(alice, 'bob', 'nobody'), [{ user: 'Bob' }]);
    await setAway(bob, 'lunch');
    clock.advance(timeLimits.presenceEveryMs);
    assert.deepEqual(await alice.expect('presence'), { type: 'presence', user: 'Bob', state: 'away', text: 'lunch' });
    const bobGone = /"user":"Bob".*link ended/u;
    const before = server.logLines.filter((line) => bobGone.test(line)).length;
    await bob.end();
    await server.logged(bobGone, before + 1);
    await alice.roundTrip();
    clock.advance(timeLimits.absenceSettleMs);
    assert.deepEqual(await alice.expect('presence'), { type: 'presence', user: 'Bob', state: 'offline' });
    await server.enter('Bob');
    clock.advance(timeLimits.presenceEveryMs);
    assert.deepEqual(await alice.expect('presence'), { type: 'presence', user: 'Bob', state: 'online' });
  });

  it('forgets away and watches with the link', async () => {
    await setAway(bob, 'lunch');
    await watch(bob, 'alice');
    bob = await server.enter('Bob');
    assert.deepEqual(await watch(alice, 'bob'), [{ user: 'Bob' }]);
    await setAway(alice, 'gone');
    clock.advance(timeLimits.presenceEveryMs);
    await bob.roundTrip();
    assert.deepEqual(bob.unread, []);
  });

  it('closes on a list of names that is too long, before it costs anything', async () => {
    bob.sendText(JSON.stringify({ type: 'watch', id: 1, users: Array.from({ length: serverLimits.watchedPerLink + 1 }, (_, n) => `user${n}`) }));
    assert.equal((await bob.expect('bye')).code, 'bad-message');
  });

  it('counts both as requests', async () => {
    // The login was the first.
    for (let n = 1; n < serverLimits.requestBurst; n += 1) await setAway(bob, `text ${n}`);
    const messages: ClientMessageOf<'away' | 'watch'>[] = [{ type: 'away', id: 98 }, { type: 'watch', id: 99, users: [] }];
    for (const message of messages) {
      bob.send(message);
      const { id, code } = await bob.expect('error');
      assert.deepEqual([id, code], [message.id, 'rate-limited']);
    }
  });
});
