/** Who gets a peer link and who does not, on real sockets (PROTOCOL.md 7.2, 7.3; HOSTILE 16, 18, 19). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../src/net/clock.js';
import { deferred } from '../../src/net/deferred.js';
import { authenticatePeer, roleOfAccepted, type Expected } from '../../src/net/peer-handshake.js';
import type { PeerLink } from '../../src/net/peer-link.js';
import { PeerListener } from '../../src/net/peer-listener.js';
import { tlsContext } from '../../src/net/tls.js';
import { peerLimits } from '../../src/protocol/limits.js';
import type { PeerMessage, PeerRole } from '../../src/protocol/peer-messages.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { tcpPair, tcpServer, testIdentity, type TestIdentity } from '../helpers/sockets.js';

const introduction = 'A'.repeat(22);

function run(raw: Socket, role: PeerRole, self: TestIdentity | undefined, expected: readonly Expected[]) {
  return authenticatePeer(raw, role, () => expected, { context: tlsContext(self?.credentials), clock: systemClock, agent: 'test/1' });
}

async function linkPair(t: TestContext): Promise<{ asker: PeerLink; answerer: PeerLink }> {
  const [alice, bob] = [await testIdentity(), await testIdentity()];
  const { dialled, accepted } = await tcpPair(t);
  const [asker, answerer] = await Promise.all([
    run(dialled, 'asker', alice, [{ introduction, role: 'asker', fingerprint: bob.fingerprint }]),
    run(accepted, 'answerer', bob, [{ introduction, role: 'answerer', fingerprint: alice.fingerprint }]),
  ]);
  return { asker: asker.link, answerer: answerer.link };
}

function collect(link: PeerLink): { messages: PeerMessage[]; ended: Promise<string | undefined>; next(): Promise<PeerMessage> } {
  const messages: PeerMessage[] = [];
  const ended = deferred<string | undefined>();
  let arrival = deferred<PeerMessage>();
  link.attach({
    onMessage: (message) => {
      messages.push(message);
      arrival.resolve(message);
      arrival = deferred();
    },
    onData: () => undefined,
    onEntryEnd: () => undefined,
    onEnd: (reason) => ended.resolve(reason?.code),
  });
  return { messages, ended: ended.promise, next: () => arrival.promise };
}

describe('a peer handshake', () => {
  it('links two who expect each other, and hands on what came with go', async (t) => {
    const { asker, answerer } = await linkPair(t);
    asker.sendGo();
    asker.send({ type: 'chat', number: 1, text: 'hello' });
    asker.send({ type: 'chat', number: 2, text: 'again' });
    await answerer.receiveGo();
    const received = collect(answerer);
    while (received.messages.length < 2) await received.next();
    assert.deepEqual(received.messages.map((message) => message.type === 'chat' && message.text), ['hello', 'again']);
    const atAsker = collect(asker);
    answerer.send({ type: 'chat-ack', number: 2 });
    assert.equal((await atAsker.next()).type, 'chat-ack');
    await answerer.close({ type: 'close' });
    assert.equal(await atAsker.ended, 'link-lost');
    assert.equal(await received.ended, undefined);
  });

  it('closes a link on which something is said before go', async (t) => {
    const { asker, answerer } = await linkPair(t);
    asker.send({ type: 'chat', number: 1, text: 'too early' });
    await assert.rejects(answerer.receiveGo(), { code: 'unexpected-message' });
    assert.equal(asker.open, false);
  });

  it('lets only the asker say go', async (t) => {
    const { asker, answerer } = await linkPair(t);
    answerer.send({ type: 'go' });
    await assert.rejects(asker.receiveGo(), { code: 'unexpected-message' });
  });

  /** HOSTILE 16: whoever cannot prove the key of a running introduction never has a message read. */
  const impostors: Record<string, (self: TestIdentity, other: TestIdentity) => Promise<TestIdentity | undefined>> = {
    'a stranger without certificate': () => Promise.resolve(undefined),
    'a stranger with a key of their own': () => testIdentity(),
    'one who has our own key': (self) => Promise.resolve(self),
  };
  for (const [name, impostor] of Object.entries(impostors)) {
    it(`turns away ${name}`, async (t) => {
      const [bob, alice] = [await testIdentity(), await testIdentity()];
      const { dialled, accepted } = await tcpPair(t);
      const claimed = run(dialled, 'asker', await impostor(bob, alice), [{ introduction, role: 'asker', fingerprint: bob.fingerprint }]);
      const outcome = run(accepted, 'answerer', bob, [{ introduction, role: 'answerer', fingerprint: alice.fingerprint }]);
      await assert.rejects(outcome, { code: 'peer-key-wrong' });
      await assert.rejects(claimed);
    });
  }

  it('does not talk to a listener that has another key', async (t) => {
    const [alice, bob, mallory] = [await testIdentity(), await testIdentity(), await testIdentity()];
    const { dialled, accepted } = await tcpPair(t);
    const outcome = run(dialled, 'asker', alice, [{ introduction, role: 'asker', fingerprint: bob.fingerprint }]);
    const fake = run(accepted, 'answerer', mallory, [{ introduction, role: 'answerer', fingerprint: alice.fingerprint }]);
    await assert.rejects(outcome, { code: 'peer-key-wrong' });
    // Not even a hello came: the link ended first.
    await assert.rejects(fake, { code: 'link-lost' });
  });

  it('refuses the right key with another introduction', async (t) => {
    const [alice, bob] = [await testIdentity(), await testIdentity()];
    const { dialled, accepted } = await tcpPair(t);
    const claimed = run(dialled, 'asker', alice, [{ introduction: 'B'.repeat(22), role: 'asker', fingerprint: bob.fingerprint }]);
    const outcome = run(accepted, 'answerer', bob, [{ introduction, role: 'answerer', fingerprint: alice.fingerprint }]);
    await assert.rejects(outcome, { code: 'peer-key-wrong' });
    await assert.rejects(claimed);
  });

  it('sends a service that is no peer nothing but a ClientHello (HOSTILE 18)', async (t) => {
    const alice = await testIdentity();
    const received: Buffer[] = [];
    const ended = deferred<undefined>();
    const { port } = await tcpServer(t, (socket) => {
      socket.write('220 mail.example.org ESMTP\r\n');
      socket.on('data', (bytes: Buffer) => received.push(bytes)).on('close', () => ended.resolve(undefined));
    });
    const raw = net.connect(port, '127.0.0.1');
    await once(raw, 'connect');
    await assert.rejects(run(raw, 'asker', alice, [{ introduction, role: 'asker', fingerprint: alice.fingerprint }]));
    await ended.promise;
    const bytes = Buffer.concat(received);
    // TLS records (RFC 8446 section 5.1): a handshake record with ClientHello, then at most an alert.
    assert.equal(bytes[0], 0x16);
    assert.equal(bytes[5], 0x01);
    const rest = bytes.subarray(5 + bytes.readUInt16BE(3));
    assert.ok(rest.length === 0 || rest[0] === 0x15);
  });
});

describe('the role on an accepted connection', () => {
  it('is answerer when the dialler speaks, and TLS still finds what was said', async (t) => {
    const [alice, bob] = [await testIdentity(), await testIdentity()];
    const { dialled, accepted } = await tcpPair(t);
    const asker = run(dialled, 'asker', alice, [{ introduction, role: 'asker', fingerprint: bob.fingerprint }]);
    assert.equal(await roleOfAccepted(accepted, () => true, systemClock), 'answerer');
    await run(accepted, 'answerer', bob, [{ introduction, role: 'answerer', fingerprint: alice.fingerprint }]);
    await asker;
  });

  it('is asker when the dialler waits and we have asked somebody', async (t) => {
    const clock = new ManualClock();
    const { accepted } = await tcpPair(t);
    const role = roleOfAccepted(accepted, () => true, clock);
    clock.advance(250);
    assert.equal(await role, 'asker');
  });

  it('is answerer at once when we have asked nobody', async (t) => {
    const { accepted } = await tcpPair(t);
    assert.equal(await roleOfAccepted(accepted, () => false, new ManualClock()), 'answerer');
  });
});

describe('the peer listener', () => {
  it('turns everybody away while nobody is expected', async (t) => {
    const taken: Socket[] = [];
    const listener = await PeerListener.listen({ port: 0, expecting: () => false, onSocket: (socket) => Promise.resolve(void taken.push(socket)) });
    t.after(() => listener.close());
    const stranger = net.connect(listener.port, '127.0.0.1');
    stranger.on('error', () => stranger.destroy());
    await once(stranger, 'close');
    assert.deepEqual(taken, []);
  });

  it('holds stalling strangers of one address to a cap, and has room again when they go (HOSTILE 19)', async (t) => {
    const arrived: (() => void)[] = [];
    let onArrival = deferred<undefined>();
    const listener = await PeerListener.listen({
      port: 0,
      expecting: () => true,
      onSocket: () => {
        const slot = deferred<undefined>();
        arrived.push(() => slot.resolve(undefined));
        onArrival.resolve(undefined);
        onArrival = deferred();
        return slot.promise.then(() => undefined);
      },
    });
    const strangers: Socket[] = [];
    t.after(async () => {
      for (const socket of strangers) socket.destroy();
      for (const release of arrived) release();
      await listener.close();
    });
    const dial = () => {
      const socket = net.connect(listener.port, '127.0.0.1');
      socket.on('error', () => socket.destroy());
      strangers.push(socket);
      return socket;
    };
    while (arrived.length < peerLimits.unauthenticatedPerAddress) {
      const next = onArrival.promise;
      dial();
      await next;
    }
    await once(dial(), 'close');
    assert.equal(arrived.length, peerLimits.unauthenticatedPerAddress);
    arrived[0]!();
    const next = onArrival.promise;
    dial();
    await next;
    assert.equal(arrived.length, peerLimits.unauthenticatedPerAddress + 1);
  });

  it('says so when its port is taken', async (t) => {
    const first = await PeerListener.listen({ port: 0, expecting: () => false, onSocket: () => Promise.resolve() });
    t.after(() => first.close());
    await assert.rejects(PeerListener.listen({ port: first.port, expecting: () => false, onSocket: () => Promise.resolve() }), {
      code: 'port-in-use',
      message: /--listen-port/u,
    });
  });
});
