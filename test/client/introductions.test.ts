/** Introductions of a server that lies, repeats itself or floods: nobody is dialled, pinned or let in without agreement (PROTOCOL.md 5.5). */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Introductions, type Consent, type Introduced } from '../../src/client/introductions.js';
import { systemClock } from '../../src/net/clock.js';
import { deferred } from '../../src/net/deferred.js';
import { authenticatePeer } from '../../src/net/peer-handshake.js';
import type { PeerLink } from '../../src/net/peer-link.js';
import { tlsContext } from '../../src/net/tls.js';
import { P2pError } from '../../src/protocol/errors.js';
import { clientLimits } from '../../src/protocol/limits.js';
import type { ClientMessage, ClientMessageOf, ServerMessageOf } from '../../src/protocol/server-messages.js';
import { generateIdentity } from '../../src/security/identity.js';
import { PeerTrust, type KnownPeers } from '../../src/client/peer-trust.js';
import { PinFile } from '../../src/security/pins.js';
import { tcpPair, tcpServer, testIdentity, type TestIdentity } from '../helpers/sockets.js';
import { temporaryFolder } from '../helpers/test-client.js';

/** An introduction id that is easy to tell from others. */
const id = (n: number) => String(n).padStart(22, 'A');

interface SetUpOptions {
  readonly consent?: (peer: string) => Promise<Consent>;
  readonly knownPeers?: KnownPeers;
}

/** The introductions of "alice", whose server is played by the test. */
async function setUp(t: TestContext, options: SetUpOptions = {}) {
  const self = await testIdentity();
  const { consent = () => Promise.resolve('granted'), knownPeers = new PinFile(join(await temporaryFolder(t), 'known_peers'), 'peers') } = options;
  const sent: ClientMessage[] = [];
  const incoming: Introduced[] = [];
  let reply: ServerMessageOf<'introduction'> | undefined;
  const introductions = new Introductions({
    user: 'alice',
    fingerprint: self.fingerprint,
    context: tlsContext(self.credentials),
    clock: systemClock,
    agent: 'test/1',
    trust: new PeerTrust({ user: 'alice', fingerprint: self.fingerprint, serverName: 'server:9090', knownPeers, clock: systemClock, hasSession: () => false, onChanged: () => undefined }),
    listener: { port: 4000 },
    serverLink: () => ({
      send: (message) => void sent.push(message),
      request: (() => Promise.resolve(reply)) as never,
    }),
    isBlocked: () => false,
    consent,
    continuity: () => ({}),
    isLost: () => false,
    onIncoming: (introduced) => void incoming.push(introduced),
    onWarning: () => undefined,
  });
  t.after(() => {
    introductions.close();
    for (const { link } of incoming) link.destroy();
  });
  return {
    introductions,
    self,
    incoming,
    answers: () => sent.filter((message): message is ClientMessageOf<'answer'> => message.type === 'answer'),
    /** Asks for `user`; the server answers with `answer`. */
    ask: (user: string, answer: ServerMessageOf<'introduction'>) => {
      reply = answer;
      return introductions.ask(user);
    },
  };
}

/** A peer in the role of answerer, waiting to be dialled; `links` are those that came as far as hello. */
async function waitingPeer(t: TestContext, alice: TestIdentity, introduction: string) {
  const identity = await testIdentity();
  const first = deferred<PeerLink>();
  let dialled = 0;
  const { port } = await tcpServer(t, (socket) => {
    dialled += 1;
    const expected = [{ introduction, role: 'answerer', fingerprint: alice.fingerprint }] as const;
    authenticatePeer(socket, 'answerer', () => expected, { context: tlsContext(identity.credentials), clock: systemClock, agent: 'peer' }).then(
      ({ link }) => first.resolve(link),
      () => undefined,
    );
  });
  return { fingerprint: identity.fingerprint, candidates: [{ address: '127.0.0.1', port }], link: first.promise, dialled: () => dialled };
}

describe('a client whose server is hostile', () => {
  it('opens no session with anybody but the one it asked for', async (t) => {
    const alice = await setUp(t);
    const mallory = await waitingPeer(t, alice.self, id(1));
    const peer = { user: 'mallory', fingerprint: mallory.fingerprint };
    const answer = { type: 'introduction', id: 1, introduction: id(1), role: 'asker', peer, candidates: mallory.candidates } as const;
    await assert.rejects(alice.ask('bob', answer), { code: 'peer-key-wrong', message: /bob.*mallory/u });
    assert.equal(mallory.dialled(), 0);
    const swapped = { ...answer, role: 'answerer' } as const;
    await assert.rejects(alice.ask('mallory', swapped), { code: 'peer-key-wrong' });
    assert.equal(mallory.dialled(), 0);
  });

  it('is introduced only to those to whom it agreed, and once', async (t) => {
    const consents: string[] = [];
    const alice = await setUp(t, { consent: (peer) => Promise.resolve(consents.push(peer) > 0 && peer === 'bob' ? 'granted' : 'refused') });
    const peer = { user: 'bob', fingerprint: generateIdentity().fingerprint };
    const dials: string[] = [];
    const { port } = await tcpServer(t, (socket) => {
      dials.push('dialled');
      socket.destroy();
    });
    const introduce = (introduction: string, change: Partial<ServerMessageOf<'introduction'>> = {}) =>
      alice.introductions.onIntroduction({ type: 'introduction', introduction, role: 'answerer', peer, candidates: [{ address: '127.0.0.1', port }], ...change });

    await introduce(id(1));
    await alice.introductions.onAsked({ type: 'asked', introduction: id(2), from: { user: 'carol', fingerprint: peer.fingerprint } });
    await introduce(id(2), { peer: { user: 'carol', fingerprint: peer.fingerprint } });
    for (const [n, change] of Object.entries({ 3: { peer: { ...peer, user: 'carol' } }, 4: { peer: { ...peer, fingerprint: generateIdentity().fingerprint } }, 5: { role: 'asker' as const } })) {
      await alice.introductions.onAsked({ type: 'asked', introduction: id(Number(n)), from: peer });
      await introduce(id(Number(n)), change);
    }
    assert.deepEqual(alice.answers().map(({ reach }) => reach !== null), [false, true, true, true]);
    assert.deepEqual(dials, []);

    await alice.introductions.onAsked({ type: 'asked', introduction: id(6), from: peer });
    const [once, twice] = [introduce(id(6)), introduce(id(6))];
    await twice;
    alice.introductions.close();
    await once;
    assert.ok(dials.length < 2);
    assert.deepEqual([alice.incoming, consents], [[], ['carol', 'bob', 'bob', 'bob', 'bob']]);
  });

  it('keeps a peer who arrives before the introduction', async (t) => {
    const alice = await setUp(t);
    const identity = await testIdentity();
    const peer = { user: 'bob', fingerprint: identity.fingerprint };
    await alice.introductions.onAsked({ type: 'asked', introduction: id(1), from: peer });
    assert.ok(alice.introductions.expecting);
    const { dialled, accepted } = await tcpPair(t);
    const expected = [{ introduction: id(1), role: 'asker', fingerprint: alice.self.fingerprint }] as const;
    const arrived = authenticatePeer(dialled, 'asker', () => expected, { context: tlsContext(identity.credentials), clock: systemClock, agent: 'peer' });
    await alice.introductions.onSocket(accepted);
    const { link } = await arrived;
    link.sendGo();
    await alice.introductions.onIntroduction({ type: 'introduction', introduction: id(1), role: 'answerer', peer, candidates: [] });
    assert.deepEqual(alice.incoming.map(({ peer: who, direction }) => [who, direction]), [['bob', 'incoming']]);
    assert.equal(alice.introductions.expecting, false);
  });

  it('is asked by nobody of its own name', async (t) => {
    const alice = await setUp(t);
    await alice.introductions.onAsked({ type: 'asked', introduction: id(1), from: { user: 'ALICE', fingerprint: generateIdentity().fingerprint } });
    assert.deepEqual(alice.answers(), [{ type: 'answer', introduction: id(1), reach: null }]);
  });

  it('refuses questions beyond those that an honest server lets wait', async (t) => {
    const consents: string[] = [];
    const alice = await setUp(t, {
      consent: (peer) => {
        consents.push(peer);
        return new Promise(() => undefined);
      },
    });
    const { fingerprint } = generateIdentity();
    const asked = (n: number) => alice.introductions.onAsked({ type: 'asked', introduction: id(n), from: { user: `u${n}`, fingerprint } });
    for (let n = 0; n < clientLimits.questions; n += 1) void asked(n);
    // The same question again is no further one.
    await asked(0);
    await Promise.all(Array.from({ length: 1_000 }, (_, n) => asked(clientLimits.questions + n)));
    while (consents.length < clientLimits.questions) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(consents.length, clientLimits.questions);
    assert.equal(alice.answers().length, 1_000);
    assert.ok(alice.answers().every(({ reach }) => reach === null));
  });

  const pinFiles: Record<string, { readonly add: (pin: (fingerprint: string) => void) => Promise<void>; readonly code: string }> = {
    'whom it cannot pin': { add: () => Promise.reject(new P2pError('bad-pin-file', 'Cannot write.')), code: 'bad-pin-file' },
    'whose name another key took at the same moment': {
      add: (pin) => {
        pin(generateIdentity().fingerprint);
        return Promise.resolve();
      },
      code: 'peer-key-changed',
    },
  };
  for (const [whom, { add, code }] of Object.entries(pinFiles)) {
    it(`opens no session with a peer ${whom}, and leaves no link`, async (t) => {
      let pinned: string | undefined;
      const pin = (fingerprint: string) => (pinned = fingerprint);
      const knownPeers: KnownPeers = {
        all: () => Promise.resolve(new Map()),
        entry: () => Promise.resolve(pinned === undefined ? undefined : { fingerprint: pinned, since: undefined, verified: undefined }),
        add: () => add(pin),
        replace: () => Promise.resolve(),
        setVerified: () => Promise.resolve(true),
      };
      const alice = await setUp(t, { knownPeers });
      const bob = await waitingPeer(t, alice.self, id(1));
      const peer = { user: 'bob', fingerprint: bob.fingerprint };
      const outcome = alice.ask('bob', { type: 'introduction', id: 1, introduction: id(1), role: 'asker', peer, candidates: bob.candidates });
      await assert.rejects(outcome, { code });
      // Bob was never told to go, and is not left waiting.
      await assert.rejects((await bob.link).receiveGo(), { code: 'link-lost' });
    });
  }
});
