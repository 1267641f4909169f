/** A server that lists without end or leaves in the middle, and a client that is closed in the middle: nothing breaks, nothing is left. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServerLink } from '../../src/client/server-link.js';
import { systemClock } from '../../src/net/clock.js';
import { deferred } from '../../src/net/deferred.js';
import { PeerListener, type PeerListenerOptions } from '../../src/net/peer-listener.js';
import { acceptTls, tlsContext } from '../../src/net/tls.js';
import { clientLimits, serverLimits } from '../../src/protocol/limits.js';
import { SERVER_ALPN } from '../../src/protocol/version.js';
import { machineInTheMiddle } from '../helpers/machine-in-the-middle.js';
import { tcpServer, testIdentity } from '../helpers/sockets.js';
import { loggedIn, PASSWORD, testClient } from '../helpers/test-client.js';
import { startTestServer } from '../helpers/test-server.js';

describe('a client whose server is hostile', () => {
  it('stops reading a list that has no end, and says that it is cut short', async (t) => {
    let pages = 0;
    const server = await startTestServer({
      wrap: (backend) => {
        backend.list = () => {
          pages += 1;
          const users = Array.from({ length: serverLimits.listPage }, (_, n) => `u${pages}-${n}`);
          return Promise.resolve({ users, total: Number.MAX_SAFE_INTEGER, next: users.at(-1) });
        };
        return backend;
      },
    });
    t.after(() => server.dispose());
    const alice = await loggedIn(t, server.port, 'alice');
    const { clients, total } = await alice.api.listClients();
    assert.equal(clients.length, clientLimits.listedClients);
    assert.equal(total, Number.MAX_SAFE_INTEGER);
  });

  it('is told when the connection ends while the key is judged', async (t) => {
    const { credentials } = await testIdentity();
    const cut = deferred<undefined>();
    const { port } = await tcpServer(t, (socket) => {
      void acceptTls(socket, { context: tlsContext(credentials), alpn: SERVER_ALPN, clock: systemClock }).then(() => socket.once('close', () => cut.resolve(undefined)).resetAndDestroy());
    });
    const judged = ServerLink.open({
      host: '127.0.0.1',
      port,
      agent: 'test/1',
      clock: systemClock,
      signal: new AbortController().signal,
      judge: async () => {
        await cut.promise;
        // On loopback the reset has arrived; the client learns of it in one of its next turns.
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        return 'new';
      },
    });
    await assert.rejects(judged, { code: 'cannot-connect', message: /closed the connection/u });
  });
});

describe('a client that is closed', () => {
  it('in the middle of its login leaves neither a link nor a listener behind', async (t) => {
    const server = await startTestServer();
    t.after(() => server.dispose());
    await (await loggedIn(t, server.port, 'alice')).api.close();
    await server.logged(/link ended/u);
    const client = await testClient(t, { port: server.port });
    await client.api.connect();
    const listen = PeerListener.listen.bind(PeerListener);
    let listener: PeerListener | undefined;
    t.mock.method(PeerListener, 'listen', async (options: PeerListenerOptions) => {
      void client.api.close();
      return (listener = await listen(options));
    });
    await assert.rejects(client.api.login('alice', PASSWORD), { code: 'closed' });
    assert.equal(listener?.port, 0);
    await server.logged(/link ended/u, 2);
    assert.equal((await client.next('disconnected')).code, 'closed');
    assert.ok(!client.events.some(({ event }) => event === 'logged-in'));
  });

  it('while it waits for an answer of the server says so, and does not try again', async (t) => {
    let asked: () => void = () => undefined;
    const server = await startTestServer({
      accounts: ['alice'],
      wrap: (backend) => {
        backend.findForLogin = () => {
          asked();
          return new Promise(() => undefined);
        };
        return backend;
      },
    });
    t.after(() => server.dispose());
    const client = await testClient(t, { port: server.port });
    asked = () => void client.api.close();
    await client.api.connect();
    await assert.rejects(client.api.login('alice', PASSWORD), { code: 'closed' });
  });

  it('while it comes back to its server does not come back', async (t) => {
    let onAnnounce: () => void = () => undefined;
    const server = await startTestServer({
      wrap: (backend) => {
        const announce = backend.announce.bind(backend);
        backend.announce = async (...who) => {
          onAnnounce();
          await announce(...who);
        };
        return backend;
      },
    });
    t.after(() => server.dispose());
    const cable = await machineInTheMiddle(t, { port: server.port, tls: 'passed' });
    const alice = await loggedIn(t, cable.port, 'alice');
    onAnnounce = () => void alice.api.close();
    cable.cut();
    await alice.next('disconnected');
    await server.logged(/link ended/u, 2);
    assert.ok(!alice.events.some(({ event }) => event === 'server-back'));
  });
});
