/** Links between real engines break in every way that can be made here: the session goes on, and nothing is said twice or lost (PROTOCOL.md 7.3.1). */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { ClientOptions } from '../../src/client/options.js';
import { createLog } from '../../src/server/log.js';
import { parseServerOptions } from '../../src/server/options.js';
import { startServer } from '../../src/server/server.js';
import { peerCable } from '../helpers/peer-cable.js';
import { loggedIn, type TestClient } from '../helpers/test-client.js';
import { startTestServer, temporaryDirectory } from '../helpers/test-server.js';

/** alice, who has asked for bob, and bob; with the network between them. */
async function setUp(t: TestContext, options: { readonly alice?: Partial<ClientOptions>; readonly bob?: Partial<ClientOptions> } = {}) {
  const cable = peerCable(t);
  const server = await startTestServer();
  t.after(() => server.dispose());
  const alice = await loggedIn(t, server.port, 'alice', options.alice);
  const bob = await loggedIn(t, server.port, 'bob', options.bob);
  const opened = alice.api.openSession('bob');
  if (options.bob?.sessions === 'ask') {
    await bob.next('session-request');
    await bob.api.answerSession(true);
  }
  await Promise.all([opened, alice.next('session-opened'), bob.next('session-opened')]);
  return { server, cable, alice, bob };
}

const names = (client: TestClient) => client.events.map(({ event }) => event);
const taken = (client: TestClient) => client.events.flatMap((event) => (event.event === 'message' && event.direction === 'in' ? [event.text] : []));

async function back(...clients: TestClient[]) {
  return await Promise.all(clients.map((client) => client.next('session-back')));
}

describe('a session whose link breaks', () => {
  it('goes on by itself, under the same name, with what was said meanwhile', async (t) => {
    const { cable, alice, bob } = await setUp(t);
    await alice.api.say('before');
    cable.cut();
    await Promise.all([alice.next('session-lost'), bob.next('session-lost')]);
    assert.deepEqual([alice.api.sessions, bob.api.sessions], [['bob'], ['alice']]);
    const said = [alice.api.say('one'), bob.api.say('eins'), alice.api.say('two')];
    const [atAlice, atBob] = await back(alice, bob);
    assert.deepEqual([atAlice?.restarted, atBob?.restarted], [false, false]);
    await Promise.all(said);
    assert.deepEqual([taken(bob), taken(alice)], [['before', 'one', 'two'], ['eins']]);
    for (const client of [alice, bob]) assert.ok(!names(client).includes('session-closed') && names(client).filter((name) => name === 'session-opened').length === 1);
    assert.equal(alice.api.current, 'bob');
  });

  it('goes on where only one side knows of the break, whichever it is', async (t) => {
    const { cable, alice, bob } = await setUp(t);
    cable.cutFor(0);
    const said = alice.api.say('from alice');
    await back(alice, bob);
    await said;
    assert.match((await bob.next('session-lost')).reason, /connected anew/u);

    cable.cutFor(1);
    const answer = bob.api.say('from bob');
    // Alice asked, so bob gives her a moment; then he asks, and she learns of the break through that.
    await back(alice, bob);
    await answer;
    assert.deepEqual([taken(bob), taken(alice)], [['from alice'], ['from bob']]);
    assert.equal((await Promise.all(['a', 'b', 'c'].map((text) => alice.api.say(text)))).length, 3);
  });

  it('goes on when both were made to ask at the same moment', async (t) => {
    const { cable, alice, bob } = await setUp(t);
    cable.cut();
    await Promise.all([alice.next('session-lost'), bob.next('session-lost')]);
    await Promise.all([alice.api.openSession('bob'), bob.api.openSession('alice')]);
    await Promise.all([alice.api.say('here'), bob.api.say('here')]);
    assert.deepEqual([alice.api.sessions, bob.api.sessions], [['bob'], ['alice']]);
    for (const client of [alice, bob]) assert.ok(!names(client).includes('session-closed'));
  });

  it('is asked about at once when its person asks for the peer, and is current then', async (t) => {
    const { cable, alice, bob } = await setUp(t);
    cable.cut();
    await bob.next('session-lost');
    // Bob would wait three seconds.
    const before = performance.now();
    await bob.api.openSession('alice');
    assert.ok(performance.now() - before < 2_500);
    assert.equal(bob.api.current, 'alice');
    await back(alice, bob);
  });

  it('waits for a server that is down, and goes on once it is back', async (t) => {
    const cable = peerCable(t);
    const directory = await temporaryDirectory();
    const first = await startTestServer({ directory });
    const [alice, bob] = [await loggedIn(t, first.port, 'alice'), await loggedIn(t, first.port, 'bob')];
    await alice.api.openSession('bob');
    await first.close();
    await Promise.all([alice.next('server-lost'), bob.next('server-lost')]);
    cable.cut();
    await Promise.all([alice.next('session-lost'), bob.next('session-lost')]);
    const said = alice.api.say('through it all');
    await assert.rejects(alice.api.openSession('bob'), { code: 'link-lost' });
    const log = createLog({ level: 'silent', form: 'json', write: () => undefined });
    const second = await startServer(parseServerOptions({ port: String(first.port), host: '127.0.0.1', data: directory }, '/nowhere'), { log, agent: 'test' });
    t.after(() => second.close());
    await back(alice, bob);
    await said;
    assert.deepEqual(taken(bob), ['through it all']);
  });

  it('goes on without asking the person again, who was asked for this session', async (t) => {
    const { cable, alice, bob } = await setUp(t, { bob: { sessions: 'ask' } });
    cable.cut();
    await back(alice, bob);
    assert.equal(names(bob).filter((name) => name === 'session-request').length, 1);
  });

  it('keeps its person from leaving by accident, and ends at once when told to', async (t) => {
    const { server, cable, alice, bob } = await setUp(t);
    cable.refuses = true;
    cable.cut();
    await alice.next('session-lost');
    await assert.rejects(alice.api.disconnect(), { code: 'session-open', message: /bob is being re-made/u });
    const said = assert.rejects(alice.api.say('never mind'), { code: 'session-closed', message: /Not delivered/u });
    await alice.api.closeSession();
    await said;
    const closed = await alice.next('session-closed');
    assert.deepEqual([closed.code, closed.undelivered], ['closed-by-you', 1]);
    await alice.api.disconnect();
    await bob.api.close();
    await server.logged(/link ended/u, 2);
  });
});

describe('a session that its person ended while the link was down', () => {
  it('ends for the other as well, as soon as that one asks', async (t) => {
    const { cable, alice, bob } = await setUp(t);
    cable.cutFor(1);
    await bob.next('session-lost');
    await bob.api.closeSession();
    cable.cutFar();
    await alice.next('session-lost');
    const closed = await alice.next('session-closed');
    assert.equal(closed.code, 'closed-by-peer');
    assert.deepEqual([alice.api.sessions, bob.api.sessions], [[], []]);
    assert.equal(names(bob).filter((name) => name === 'session-opened').length, 1);
    assert.ok(![...names(alice), ...names(bob)].includes('warning'));
  });

  it('is not mistaken for a new one, and a new one is not opened unasked', async (t) => {
    const { cable, alice, bob } = await setUp(t, { bob: { sessions: 'ask' } });
    cable.cutFor(1);
    await bob.next('session-lost');
    await bob.api.closeSession();
    cable.cutFar();
    assert.equal((await alice.next('session-closed')).code, 'closed-by-peer');
    assert.equal(names(bob).filter((name) => name === 'session-request').length, 1);
    const opened = alice.api.openSession('bob');
    await bob.next('session-request');
    await bob.api.answerSession(true);
    await opened;
    assert.equal((await bob.next('session-opened')).peer, 'alice');
  });

  it('lets nobody in unasked who wants something else than to learn of its end', async (t) => {
    const { server, cable, bob } = await setUp(t, { bob: { sessions: 'ask' } });
    cable.cutFor(1);
    await bob.next('session-lost');
    await bob.api.closeSession();
    const again = await loggedIn(t, server.port, 'alice', { known: true });
    await again.api.openSession('bob');
    await bob.next('session-request');
    await bob.api.answerSession(false);
    assert.equal((await again.next('session-closed')).code, 'closed-by-peer');
    assert.equal(names(bob).filter((name) => name === 'session-opened').length, 1);
  });

  it('is followed by a new one where the other person wants one', async (t) => {
    const { cable, alice, bob } = await setUp(t);
    cable.refuses = true;
    cable.cutFor(1);
    await bob.next('session-lost');
    await bob.api.closeSession();
    cable.cutFar();
    await alice.next('session-lost');
    cable.refuses = false;
    await alice.api.openSession('bob');
    assert.equal((await alice.next('session-closed')).code, 'closed-by-peer');
    await alice.api.say('once more');
    assert.deepEqual(taken(bob), ['once more']);
  });
});

describe('a peer whose program was started anew', () => {
  /** Bob's program ends without a word to alice, and another takes its place. */
  async function restarted(t: TestContext) {
    const { server, cable, alice, bob } = await setUp(t);
    await bob.api.say('from the first');
    cable.cutFor(1);
    await bob.next('session-lost');
    await bob.api.close();
    return { cable, alice, again: await loggedIn(t, server.port, 'bob', { known: true }) };
  }

  it('is found again by the one who still has the session', async (t) => {
    const { cable, alice, again } = await restarted(t);
    cable.cutFar();
    const said = ['one', 'two'].map((text) => alice.api.say(text));
    const [event] = await back(alice);
    assert.equal(event?.restarted, true);
    await Promise.all(said);
    await again.next('session-opened');
    await again.api.say('from the second');
    await alice.api.say('three');
    assert.deepEqual([taken(again), taken(alice)], [['one', 'two', 'three'], ['from the first', 'from the second']]);
    assert.ok(!names(alice).includes('session-closed'));
  });

  it('may ask first, even where the old link looks alive', async (t) => {
    const { alice, again } = await restarted(t);
    const said = alice.api.say('into the void');
    await again.api.openSession('alice');
    const [event] = await back(alice);
    assert.equal(event?.restarted, true);
    await said;
    assert.deepEqual(taken(again), ['into the void']);
    assert.deepEqual([alice.api.sessions, alice.api.current], [['bob'], 'bob']);
  });
});

it('shows every message exactly once and in order, however often the link is cut', async (t) => {
  const { cable, alice, bob } = await setUp(t);
  const texts: Record<'alice' | 'bob', string[]> = { alice: [], bob: [] };
  const said: Promise<void>[] = [];
  for (let round = 0; round < 4; round += 1) {
    for (const [who, client] of [['alice', alice], ['bob', bob]] as const) {
      for (let count = 0; count < 10 + round; count += 1) {
        texts[who].push(`${who} ${texts[who].length}`);
        said.push(client.api.say(texts[who].at(-1)!));
        if (count % 4 === round % 4) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    cable.cut();
    await back(alice, bob);
  }
  await Promise.all(said);
  assert.deepEqual([taken(bob), taken(alice)], [texts.alice, texts.bob]);
  for (const client of [alice, bob]) assert.ok(!names(client).includes('session-closed'));
});
