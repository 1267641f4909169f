/** The server link breaks: it comes back by signature, sessions go on, and some ends are final (DESIGN 3.7). */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { createClient } from '../../src/client/engine.js';
import type { Timer } from '../../src/net/clock.js';
import { deferred } from '../../src/net/deferred.js';
import { timeLimits } from '../../src/protocol/limits.js';
import { createLog } from '../../src/server/log.js';
import { parseServerOptions } from '../../src/server/options.js';
import { startServer } from '../../src/server/server.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { machineInTheMiddle } from '../helpers/machine-in-the-middle.js';
import { tcpServer } from '../helpers/sockets.js';
import { clientOptions, loggedIn, PASSWORD, temporaryFolder } from '../helpers/test-client.js';
import { startTestServer, temporaryDirectory } from '../helpers/test-server.js';

describe('the server link', () => {
  it('comes back without a password after a cut; the session goes on meanwhile', async (t) => {
    const server = await startTestServer();
    t.after(() => server.dispose());
    const cable = await machineInTheMiddle(t, { port: server.port, tls: 'passed' });
    const [alice, bob] = [await loggedIn(t, cable.port, 'alice'), await loggedIn(t, server.port, 'bob')];
    await alice.api.openSession('bob');
    cable.cut();
    await alice.next('server-lost');
    await assert.rejects(alice.api.listClients(), { code: 'link-lost', message: /Try again/u });
    await alice.api.say('still here');
    assert.equal((await bob.next('message')).text, 'still here');
    await alice.next('server-back');
    assert.deepEqual((await alice.api.listClients()).clients, ['alice', 'bob']);
    assert.equal(alice.events.filter(({ event }) => event === 'logged-in').length, 1);
  });

  it('finds a server that was restarted', async (t) => {
    const directory = await temporaryDirectory();
    const first = await startTestServer({ directory });
    const alice = await loggedIn(t, first.port, 'alice');
    await first.close();
    assert.match((await alice.next('server-lost')).reason, /./u);
    const log = createLog({ level: 'silent', form: 'json', write: () => undefined });
    const second = await startServer(parseServerOptions({ port: String(first.port), host: '127.0.0.1', data: directory }, '/nowhere'), { log, agent: 'test' });
    t.after(() => second.close());
    await alice.next('server-back');
    assert.deepEqual((await alice.api.listClients()).clients, ['alice']);
  });

  it('ends for good when another login displaces it', async (t) => {
    const server = await startTestServer();
    t.after(() => server.dispose());
    const first = await loggedIn(t, server.port, 'alice');
    await loggedIn(t, server.port, 'alice', { known: true });
    const end = await first.next('disconnected');
    assert.equal(end.code, 'displaced');
    assert.ok(!first.events.some(({ event }) => event === 'server-lost'));
  });

  it('does not come back to a server with another key', async (t) => {
    const server = await startTestServer();
    t.after(() => server.dispose());
    let target = server.port;
    let cut: () => void = () => undefined;
    const cable = await tcpServer(t, (socket) => {
      const on = connect(target, '127.0.0.1');
      socket.pipe(on).pipe(socket);
      on.on('error', () => socket.destroy());
      socket.on('close', () => on.destroy());
      cut = () => socket.destroy();
    });
    const alice = await loggedIn(t, cable.port, 'alice');
    const impostor = await machineInTheMiddle(t, { port: server.port, tls: 'ended' });
    target = impostor.port;
    cut();
    const end = await alice.next('disconnected');
    assert.equal(end.code, 'server-key-changed');
    assert.equal(impostor.relayed, 0);
  });
});

/** Tells when the race of paths begins: the file with the pins is read before, in real time. */
class RaceClock extends ManualClock {
  readonly #racing = deferred<undefined>();
  readonly racing = this.#racing.promise;

  override after(ms: number, action: () => void): Timer {
    if (ms === timeLimits.raceMs) this.#racing.resolve(undefined);
    return super.after(ms, action);
  }
}

describe('an introduction without a path', () => {
  it('fails within 15 s and names each address with its reason', async (t) => {
    const server = await startTestServer({ accounts: ['bob'] });
    t.after(() => server.dispose());
    const clock = new RaceClock();
    const home = await temporaryFolder(t);
    const alice = createClient(clientOptions({ port: server.port, home }), clock);
    t.after(() => alice.close());
    await alice.connect();
    await alice.register('alice', PASSWORD);
    const bob = await server.enter('bob');
    const unused = await tcpServer(t, () => undefined);
    unused.server.close();

    const outcome = alice.openSession('bob').then(
      () => new Error('opened'),
      (error: unknown) => error as Error & { code: string },
    );
    const { introduction } = await bob.expect('asked');
    bob.send({ type: 'answer', introduction, reach: { port: unused.port, candidates: [] } });
    await bob.expect('introduction');
    await clock.racing;
    const start = clock.now();
    const settled = outcome.then(() => true);
    const turn = () => new Promise<boolean>((resolve) => setImmediate(() => resolve(false)));
    while (!(await Promise.race([settled, turn()]))) clock.advance(100);
    const error = await outcome;
    assert.ok('code' in error);
    assert.equal(error.code, 'no-path');
    assert.ok(clock.now() - start <= 15_000 + 200);
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${unused.port} \\(nobody listens there\\), bob's own attempts \\(`, 'u'));
    assert.match(error.message, /--listen-port/u);
  });
});
