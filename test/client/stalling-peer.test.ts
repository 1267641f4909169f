/** A peer that holds its end of a link and does not read: sessions with it still open, close and replace each other one by one. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { authenticatePeer } from '../../src/net/peer-handshake.js';
import type { PeerLink } from '../../src/net/peer-link.js';
import { systemClock } from '../../src/net/clock.js';
import { tlsContext } from '../../src/net/tls.js';
import { selfSignedCertificate } from '../../src/security/certificate.js';
import { loggedIn } from '../helpers/test-client.js';
import { startTestServer } from '../helpers/test-server.js';

/** A real client "alice", and "bob", who is made by hand. */
async function setUp(t: TestContext) {
  const server = await startTestServer({ accounts: ['bob'] });
  t.after(() => server.dispose());
  const alice = await loggedIn(t, server.port, 'alice');
  const bob = await server.enter('bob');
  const context = tlsContext(await selfSignedCertificate(server.identities.get('bob')!));
  /** Asks for alice and goes; from then on the link is not read until something attaches to it. */
  const open = async (): Promise<PeerLink> => {
    bob.send({ type: 'connect', id: bob.nextId(), to: 'alice', reach: { port: 4000, candidates: [] } });
    const { introduction, peer, candidates } = await bob.expect('introduction');
    const { port } = candidates.at(-1)!;
    const expected = [{ introduction, role: 'asker', fingerprint: peer.fingerprint }] as const;
    const { link } = await authenticatePeer(connect(port, '127.0.0.1'), 'asker', () => expected, { context, clock: systemClock, agent: 'bob' });
    link.sendGo();
    t.after(() => link.destroy());
    return link;
  };
  return { alice, bob, open };
}

describe('a peer that stalls', () => {
  it('has one session, however many links it opens at once', async (t) => {
    const { alice, open } = await setUp(t);
    await open();
    await alice.next('session-opened');
    await open();
    await open();
    const back = [await alice.next('session-back'), await alice.next('session-back')];
    // Whoever says nothing of a session in hello does not know it.
    assert.deepEqual(back.map(({ restarted }) => restarted), [true, true]);
    assert.deepEqual([alice.api.sessions, alice.api.current], [['bob'], 'bob']);
    assert.ok(!alice.events.some(({ event }) => event === 'session-closed'));
  });

  it('is asked anew where its session is just being closed, and keeps nobody from leaving', async (t) => {
    const { alice, bob, open } = await setUp(t);
    await open();
    await alice.next('session-opened');
    const closed = alice.api.closeSession();
    const opened = assert.rejects(alice.api.openSession('bob'), { code: 'unavailable' });
    const { introduction } = await bob.expect('asked');
    await closed;
    bob.send({ type: 'answer', introduction, reach: null });
    await opened;

    await open();
    await alice.next('session-opened');
    const last = alice.api.closeSession();
    await alice.api.disconnect();
    await last;
    assert.equal((await alice.next('disconnected')).code, 'closed');
  });
});
