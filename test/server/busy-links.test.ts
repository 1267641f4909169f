/** Links after login: list, budgets, readers that do not read, heartbeat, the end of the server (PROTOCOL.md 5.5; HOSTILE 13). */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { serverLimits, timeLimits } from '../../src/protocol/limits.js';
import type { Backend } from '../../src/server/backend.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { connectPlain } from '../helpers/raw-server-client.js';
import { startTestServer } from '../helpers/test-server.js';

/** A backend whose every list is a full page of the longest names. */
function crowded(backend: Backend): Backend {
  const users = Array.from({ length: 500 }, (_, n) => `user${n}`.padEnd(32, 'x'));
  return new Proxy(backend, {
    get(target, key): unknown {
      if (key === 'list') return () => Promise.resolve({ users, total: users.length, next: undefined });
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

describe('links after login', { timeout: 60_000 }, () => {
  it('lists who is online by prefix and page, in the spelling of the registration', async (t) => {
    const server = await startTestServer({ accounts: ['Alice', 'albert', 'Bob'] });
    t.after(() => server.dispose());
    const [alice] = [await server.enter('Alice'), await server.enter('albert'), await server.enter('Bob')];
    alice.send({ type: 'list', id: 1, prefix: '' });
    assert.deepEqual(await alice.expect('clients'), { type: 'clients', id: 1, clients: ['albert', 'Alice', 'Bob'], total: 3 });
    alice.send({ type: 'list', id: 2, prefix: 'AL', after: 'ALBERT' });
    assert.deepEqual(await alice.expect('clients'), { type: 'clients', id: 2, clients: ['Alice'], total: 2 });
  });

  it('answers ten requests at once, then five a second, and tells the rest to wait', async (t) => {
    const clock = new ManualClock();
    const server = await startTestServer({ clock, accounts: ['alice'] });
    t.after(() => server.dispose());
    const alice = await server.enter('alice');
    clock.advance(10_000);
    for (let id = 1; id <= 12; id += 1) alice.send({ type: 'list', id, prefix: '' });
    const answers = [];
    for (let id = 1; id <= 12; id += 1) answers.push((await alice.next()).type);
    assert.deepEqual(answers, [...Array<string>(10).fill('clients'), 'error', 'error']);
    clock.advance(1000);
    for (let id = 1; id <= 6; id += 1) alice.send({ type: 'list', id, prefix: '' });
    for (let id = 1; id <= 5; id += 1) await alice.expect('clients');
    assert.equal((await alice.expect('error')).code, 'rate-limited');
  });

  it('ends a link that goes on all the same', async (t) => {
    const server = await startTestServer({ accounts: ['alice'] });
    t.after(() => server.dispose());
    const alice = await server.enter('alice');
    for (let id = 1; id <= 300; id += 1) alice.send({ type: 'list', id, prefix: '' });
    await alice.closed;
    const last = alice.unread.at(-1);
    assert.equal(last?.type === 'bye' && last.code, 'rate-limited');
  });

  it('lets a client answer as many questions as it is asked', async (t) => {
    const clock = new ManualClock();
    const askers = Array.from({ length: 2 + serverLimits.messageBurst / serverLimits.requestBurst }, (_, n) => `asker${n}`);
    const server = await startTestServer({ clock, accounts: ['target', ...askers] });
    t.after(() => server.dispose());
    const target = await server.enter('target');
    const reach = { port: 4000, candidates: [] };
    for (const name of askers) {
      const asker = await server.enter(name);
      // Its login was a request as well.
      for (let id = 1; id < serverLimits.requestBurst; id += 1) {
        asker.send({ type: 'connect', id, to: 'target', reach });
        const { introduction } = await target.expect('asked');
        target.send({ type: 'answer', introduction, reach });
        assert.equal((await asker.expect('introduction')).peer.user, 'target');
        await target.expect('introduction');
      }
    }
    // Answers that nobody asked for count like everything else.
    for (let n = 0; n <= serverLimits.messageBurst; n += 1) target.send({ type: 'answer', introduction: 'A'.repeat(22), reach: null });
    await target.closed;
  });

  it('drops a reader that stops reading, and nobody else notices', async (t) => {
    const clock = new ManualClock();
    const server = await startTestServer({ clock, accounts: ['alice', 'bob'], wrap: crowded });
    t.after(() => server.dispose());
    const [deaf, bob] = [await server.enter('alice'), await server.enter('bob')];
    const ended = new Promise<boolean>((resolve) => deaf.socket.once('close', () => resolve(true)));
    deaf.socket.pause();
    let requests = 0;
    for (let gone = false; !gone && requests < 20_000; requests += 1) {
      clock.advance(200);
      deaf.send({ type: 'list', id: 1, prefix: '' });
      await bob.roundTrip();
      // The end of the socket shows only to one who reads; a failed write shows as well.
      gone = deaf.socket.destroyed || server.logLines.some((line) => line.includes('too-slow'));
    }
    assert.ok(server.logLines.some((line) => line.includes('too-slow')), `still there after ${requests} requests`);
    deaf.socket.resume();
    await ended;
  });

  it('pings a silent client after 30 s and gives it up after 90 s', async (t) => {
    const clock = new ManualClock();
    const server = await startTestServer({ clock, accounts: ['alice', 'bob'] });
    t.after(() => server.dispose());
    const [ghost, bob] = [await server.enter('alice'), await server.enter('bob')];
    for (let waited = 0; waited < timeLimits.deadMs; waited += 10_000) {
      clock.advance(10_000);
      await bob.roundTrip();
    }
    await ghost.closed;
    assert.ok(ghost.unread.some(({ type }) => type === 'ping'));
    bob.send({ type: 'list', id: 1, prefix: '' });
    assert.deepEqual((await bob.expect('clients')).clients, ['bob']);
  });

  it('tells its clients when it ends, also those who have not logged in, and lets the port go', async (t) => {
    const server = await startTestServer({ accounts: ['alice'] });
    t.after(() => server.dispose());
    const clients = [await server.enter('alice'), await server.open()];
    const closing = server.close();
    assert.equal(server.close(), closing);
    for (const client of clients) {
      assert.equal((await client.expect('bye')).code, 'shutting-down');
      await client.closed;
    }
    await closing;
    await assert.rejects(server.open(), /ECONNREFUSED/u);
  });

  it('ends a handshake that is under way when it ends', async (t) => {
    const server = await startTestServer({ clock: new ManualClock() });
    t.after(() => server.dispose());
    const { gone } = await connectPlain(server.port);
    await server.open();
    await server.close();
    await gone;
  });
});
