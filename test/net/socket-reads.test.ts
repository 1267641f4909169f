/** What a TLS socket that dialled itself reads into its one buffer, and who gets it. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { systemClock } from '../../src/net/clock.js';
import { deferred } from '../../src/net/deferred.js';
import { readSocket, readsIntoOneBuffer } from '../../src/net/socket-reads.js';
import { acceptTls, dialTls, peerFingerprint, tlsContext } from '../../src/net/tls.js';
import { LinkLost } from '../../src/protocol/errors.js';
import { tcpServer, testIdentity } from '../helpers/sockets.js';

const alpn = 'p2p-chat-peer/1';

/** Both ends of a dial. */
async function dialledPair(t: TestContext) {
  const server = await testIdentity();
  const accepted = deferred<TLSSocket>();
  const { port } = await tcpServer(t, (raw) => {
    void acceptTls(raw, { context: tlsContext(server.credentials), alpn, clock: systemClock }).then((socket) => accepted.resolve(socket));
  });
  const dialled = await dialTls({ host: '127.0.0.1', port }, { context: tlsContext(undefined), alpn, clock: systemClock });
  t.after(() => dialled.destroy());
  return { dialled, accepted: await accepted.promise, fingerprint: server.fingerprint };
}

describe('A socket that TLS has dialled', () => {
  it('hands all bytes on in order, through the same buffer again and again', async (t) => {
    const sent = randomBytes(1_000_000);
    const { dialled, accepted, fingerprint } = await dialledPair(t);
    assert.equal(peerFingerprint(dialled), fingerprint);
    assert.ok(readsIntoOneBuffer(dialled) && !readsIntoOneBuffer(accepted));
    const got: Buffer[] = [];
    const buffers = new Set<ArrayBufferLike>();
    readSocket(dialled, (bytes) => {
      got.push(Buffer.from(bytes));
      buffers.add(bytes.buffer);
    });
    accepted.end(sent);
    await once(dialled, 'end');
    assert.ok(Buffer.concat(got).equals(sent));
    assert.equal(buffers.size, 1);
  });

  it('keeps what came before anybody read', async (t) => {
    const { dialled, accepted } = await dialledPair(t);
    for (const part of ['before ', 'any']) await new Promise((resolve) => void accepted.write(part, resolve));
    // On loopback they are there now, each in a record of its own; a turn later they have been read.
    await turn();
    await turn();
    const all = deferred<string>();
    let heard = '';
    readSocket(dialled, (bytes) => {
      heard += Buffer.from(bytes).toString();
      if (heard.length === 10) all.resolve(heard);
    });
    assert.equal(await all.promise, 'before any');
  });

  it('is held back by pause, and goes on', async (t) => {
    const { dialled, accepted } = await dialledPair(t);
    let bytes = 0;
    const all = deferred<undefined>();
    readSocket(dialled, (piece) => {
      bytes += piece.length;
      if (bytes === 8_000_000) all.resolve(undefined);
    });
    dialled.pause();
    // What the kernel and one read take is written; the rest waits for the reader.
    const written = new Promise((resolve) => void accepted.write(Buffer.alloc(8_000_000), resolve));
    for (let i = 0; i < 5; i += 1) {
      const heard = once(accepted, 'data');
      dialled.write('x');
      await heard;
    }
    assert.ok(bytes <= 128 * 1024, `${bytes} bytes came while it was paused`);
    dialled.resume();
    await Promise.all([written, all.promise]);
  });

  it('says who could not be reached, and that the attempt was ended', async (t) => {
    const { server, port } = await tcpServer(t, (socket) => socket.destroy());
    const options = { context: tlsContext(undefined), alpn, clock: systemClock };
    await assert.rejects(dialTls({ host: '127.0.0.1', port }, options), (error) => error instanceof LinkLost && /handshake/u.test(error.message));
    await assert.rejects(dialTls({ host: '127.0.0.1', port }, { ...options, signal: AbortSignal.abort() }), LinkLost);
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(dialTls({ host: '127.0.0.1', port }, options), (error) => error instanceof LinkLost && error.code === 'cannot-connect');
  });
});
