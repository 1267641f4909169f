/** TLS on real sockets: version, ALPN, keys, no resumption, absolute deadline, strangers that speak something else (PROTOCOL.md 1). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import tls, { type TLSSocket } from 'node:tls';
import { systemClock, type Clock } from '../../src/net/clock.js';
import { deferred } from '../../src/net/deferred.js';
import { acceptTls, connectTls, isTrustedBySystem, peerFingerprint, tlsContext } from '../../src/net/tls.js';
import { channelExporter } from '../../src/security/channel.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { tcpPair, tcpServer, testIdentity } from '../helpers/sockets.js';

const alpn = 'p2p-chat/1';

describe('TLS', () => {
  it('gives both ends the same channel, each the key of the other', async (t) => {
    const [server, client] = [await testIdentity(), await testIdentity()];
    const { dialled, accepted } = await tcpPair(t);
    const [a, b] = await Promise.all([
      connectTls(dialled, { context: tlsContext(client.credentials), alpn, clock: systemClock }),
      acceptTls(accepted, { context: tlsContext(server.credentials), alpn, clock: systemClock, requestCertificate: true }),
    ]);
    assert.equal(peerFingerprint(a), server.fingerprint);
    assert.equal(peerFingerprint(b), client.fingerprint);
    assert.deepEqual(channelExporter(a), channelExporter(b));
    assert.equal(a.getProtocol(), 'TLSv1.3');
    assert.equal(isTrustedBySystem(a, 'localhost'), false);
    a.destroy();
  });

  it('knows no fingerprint where no certificate was shown', async (t) => {
    const server = await testIdentity();
    const { dialled, accepted } = await tcpPair(t);
    const [a, b] = await Promise.all([
      connectTls(dialled, { context: tlsContext(undefined), alpn, clock: systemClock }),
      acceptTls(accepted, { context: tlsContext(server.credentials), alpn, clock: systemClock, requestCertificate: true }),
    ]);
    assert.equal(peerFingerprint(b), undefined);
    a.destroy();
  });

  it('never resumes a session', async (t) => {
    const server = await testIdentity();
    const context = tlsContext(server.credentials);
    const { port } = await tcpServer(t, (raw) => {
      acceptTls(raw, { context, alpn, clock: systemClock }).then((socket) => socket.end('x'), () => undefined);
    });
    const first = tls.connect({ port, host: '127.0.0.1', ALPNProtocols: [alpn], rejectUnauthorized: false });
    const session = deferred<Buffer>();
    first.once('session', (given) => session.resolve(given)).resume();
    const second = tls.connect({ port, host: '127.0.0.1', ALPNProtocols: [alpn], rejectUnauthorized: false, session: await session.promise });
    await once(second, 'secureConnect');
    assert.equal(second.isSessionReused(), false);
    second.destroy();
  });

  /** HOSTILE 5: each is turned away with one error, and nothing of TLS's inside is ever reached. */
  const strangers: Record<string, (port: number) => net.Socket> = {
    'TLS 1.2': (port) => tls.connect({ port, host: '127.0.0.1', ALPNProtocols: [alpn], rejectUnauthorized: false, maxVersion: 'TLSv1.2' }),
    'no ALPN': (port) => tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false }),
    'another ALPN': (port) => tls.connect({ port, host: '127.0.0.1', ALPNProtocols: ['h2'], rejectUnauthorized: false }),
    HTTP: (port) => speak(port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    'an SSH banner': (port) => speak(port, 'SSH-2.0-OpenSSH_9.2\r\n'),
    'random bytes': (port) => speak(port, Buffer.from(Array.from({ length: 400 }, (_, index) => (index * 131) % 251))),
    'a ClientHello cut in half': (port) => speak(port, Buffer.from('16030100c8010000c40303', 'hex')).end(),
    nothing: (port) => speak(port, '').end(),
  };
  for (const [name, connect] of Object.entries(strangers)) {
    it(`turns away ${name}`, async (t) => {
      const { outcome, port } = await acceptOne(t);
      const stranger = connect(port);
      stranger.on('error', () => stranger.destroy());
      await assert.rejects(outcome, (error) => error instanceof Error && ['LinkLost', 'RemoteViolation'].includes(error.name));
    });
  }

  it('ends a handshake at an absolute deadline, however the bytes drip', async (t) => {
    const clock = new ManualClock();
    const { outcome, port } = await acceptOne(t, clock);
    const stranger = speak(port, '');
    await once(stranger, 'connect');
    stranger.write(Buffer.from('16', 'hex'));
    clock.advance(5_000);
    stranger.write(Buffer.from('03', 'hex'));
    clock.advance(4_999);
    stranger.write(Buffer.from('01', 'hex'));
    clock.advance(1);
    await assert.rejects(outcome, { code: 'timed-out' });
    stranger.destroy();
  });

  it('says in words what kind of other side it met', async (t) => {
    const { port } = await tcpServer(t, (socket) => socket.end('220 mail.example.org ESMTP\r\n'));
    const raw = net.connect(port, '127.0.0.1');
    await once(raw, 'connect');
    await assert.rejects(connectTls(raw, { context: tlsContext(undefined), alpn, clock: systemClock }), { message: 'The other side does not speak TLS 1.3.' });
    assert.equal(raw.destroyed, true);
  });
});

function speak(port: number, words: string | Buffer): net.Socket {
  const socket = net.connect(port, '127.0.0.1');
  if (words.length > 0) socket.write(words);
  return socket;
}

/** A TLS server for one connection; `outcome` is that of its handshake. */
async function acceptOne(t: TestContext, clock: Clock = systemClock): Promise<{ outcome: Promise<TLSSocket>; port: number }> {
  const { credentials } = await testIdentity();
  const result = deferred<TLSSocket>();
  const { port } = await tcpServer(t, (raw) => {
    acceptTls(raw, { context: tlsContext(credentials), alpn, clock }).then((socket) => result.resolve(socket), (error: unknown) => result.reject(error as Error));
  });
  return { outcome: result.promise, port };
}
