/** What an engine tells of its own messages: that they arrived, wait, or may be lost. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { peerCable } from '../helpers/peer-cable.js';
import { loggedIn, type TestClient } from '../helpers/test-client.js';
import { startTestServer } from '../helpers/test-server.js';

async function setUp(t: TestContext) {
  const cable = peerCable(t);
  const server = await startTestServer();
  t.after(() => server.dispose());
  const alice = await loggedIn(t, server.port, 'alice');
  const bob = await loggedIn(t, server.port, 'bob');
  await Promise.all([alice.api.openSession('bob'), alice.next('session-opened'), bob.next('session-opened')]);
  return { cable, alice, bob };
}

/** What became of each message, in order: `1 said`, `1 delivered`. */
function story({ events }: TestClient): string[] {
  return events.flatMap((event) => {
    if (event.event === 'message' && event.direction === 'out') return [`${event.number ?? 'no'} said`];
    return event.event === 'message-state' ? [`${event.number} ${event.state}`] : [];
  });
}

describe('a message', () => {
  it('is said, then delivered, and nothing else is told', async (t) => {
    const { alice, bob } = await setUp(t);
    await alice.api.say('one');
    await alice.api.say('two');
    assert.deepEqual(story(alice), ['1 said', '1 delivered', '2 said', '2 delivered']);
    assert.deepEqual(story(bob), []);
  });

  it('waits while the link is broken, and keeps its number when it goes out again', async (t) => {
    const { cable, alice, bob } = await setUp(t);
    await alice.api.say('one');
    cable.cut();
    await Promise.all([alice.next('session-lost'), bob.next('session-lost')]);
    const said = [alice.api.say('two'), alice.api.say('three')];
    assert.deepEqual(story(alice).slice(2), ['2 said', '2 waiting', '3 said', '3 waiting']);
    await Promise.all(said);
    assert.deepEqual(story(alice).slice(6), ['2 sent', '3 sent', '2 delivered', '3 delivered']);
  });

  it('is undelivered where the session ends first, and its event comes before that of the end', async (t) => {
    const { cable, alice, bob } = await setUp(t);
    cable.cut();
    await Promise.all([alice.next('session-lost'), bob.next('session-lost')]);
    const said = assert.rejects(alice.api.say('one'), { code: 'session-closed' });
    await alice.api.closeSession();
    await said;
    assert.deepEqual(story(alice), ['1 said', '1 waiting', '1 undelivered']);
    const names = alice.events.map(({ event }) => event);
    assert.ok(names.indexOf('session-closed') > names.lastIndexOf('message-state'));
  });
});
