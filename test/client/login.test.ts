/** Registration, login, trust in the server and the man in the middle, engine against server (DESIGN 3; HOSTILE 10). */
import assert from 'node:assert/strict';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { generateIdentity } from '../../src/security/identity.js';
import { machineInTheMiddle } from '../helpers/machine-in-the-middle.js';
import { loggedIn, PASSWORD, temporaryFolder, testClient } from '../helpers/test-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

describe('a client and its server', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
  });
  after(() => server.dispose());

  it('has the same identity from another machine, and only with the password', async (t) => {
    const first = await loggedIn(t, server.port, 'Returning');
    const made = await first.next('logged-in');
    assert.equal(made.new, true);
    await first.api.close();

    const second = await testClient(t, { port: server.port });
    await second.api.connect();
    await assert.rejects(second.api.login('returning', 'wrong'), { code: 'not-authenticated', message: 'Wrong name or password.' });
    await assert.rejects(second.api.login('nobody-of-this-name', PASSWORD), { code: 'not-authenticated', message: 'Wrong name or password.' });
    await second.api.login('returning', PASSWORD);
    const again = await second.next('logged-in');
    assert.deepEqual({ user: again.user, new: again.new, fingerprint: again.fingerprint }, { user: 'Returning', new: false, fingerprint: made.fingerprint });
  });

  it('says at once that a name is taken, and what a name may be', async (t) => {
    await (await loggedIn(t, server.port, 'taken')).api.close();
    const client = await testClient(t, { port: server.port });
    await client.api.connect();
    await assert.rejects(client.api.checkName('TAKEN'), { code: 'name-taken' });
    await assert.rejects(client.api.register('Taken', PASSWORD), { code: 'name-taken' });
    for (const bad of ['', 'a b', '-x', 'аlice', 'x'.repeat(33), 'a\u0000']) await assert.rejects(client.api.checkName(bad), { code: 'bad-name' }, bad);
    await client.api.checkName('still-free');
  });

  it('re-makes a link that died while the person typed, silently', async (t) => {
    const relay = await machineInTheMiddle(t, { port: server.port, tls: 'passed' });
    const client = await testClient(t, { port: relay.port });
    await client.api.connect();
    relay.cut();
    await client.api.register('slow-typist', PASSWORD);
    assert.deepEqual(client.events.map(({ event }) => event), ['connected', 'logged-in']);
  });

  it('pins the server at first contact, once the login has proven the channel', async (t) => {
    const client = await testClient(t, { port: server.port });
    await client.api.connect();
    assert.deepEqual((await client.next('connected')).trust, 'new');
    const file = join(client.home, 'known_servers');
    await assert.rejects(stat(file));
    await client.api.register('pinner', PASSWORD);
    const text = await readFile(file, 'utf8');
    assert.match(text, new RegExp(`^# .*\n127\\.0\\.0\\.1:${server.port} ${escaped(server.fingerprint)} \\d{4}-\\d\\d-\\d\\d\n$`, 'u'));
    assert.equal((await stat(file)).mode & 0o777, 0o600);

    const again = await testClient(t, { port: server.port, home: client.home });
    await again.api.connect();
    const { trust, since } = await again.next('connected');
    assert.deepEqual([trust, since], ['known', /\d{4}-\d\d-\d\d/u.exec(text)?.[0]]);
    assert.equal(await readFile(file, 'utf8'), text);
  });

  it('refuses a server whose key has changed, and says how to accept it', async (t) => {
    const home = await temporaryFolder(t);
    const file = join(home, 'known_servers');
    const line = `127.0.0.1:${server.port} ${generateIdentity().fingerprint} 2026-01-01\n`;
    await writeFile(file, line);
    const client = await testClient(t, { port: server.port, home });
    await assert.rejects(client.api.connect(), (error) => {
      assert.ok(error instanceof Error && 'code' in error);
      assert.equal(error.code, 'server-key-changed');
      assert.ok(error.message.includes(file) && error.message.includes(server.fingerprint));
      return true;
    });
    assert.deepEqual(client.events, []);
    assert.equal(await readFile(file, 'utf8'), line);
  });

  it('takes a changed key that --pin names, from then on', async (t) => {
    const home = await temporaryFolder(t);
    const old = generateIdentity().fingerprint;
    await writeFile(join(home, 'known_servers'), `127.0.0.1:${server.port} ${old} 2026-01-01\n`);
    const client = await testClient(t, { port: server.port, home, pin: server.fingerprint });
    await client.api.connect();
    assert.ok((await readFile(join(home, 'known_servers'), 'utf8')).startsWith('127'), 'not before the login');
    await client.api.register('pinned', PASSWORD);
    assert.ok((await readFile(join(home, 'known_servers'), 'utf8')).startsWith(`# 127.0.0.1:${server.port} ${old} 2026-01-01 replaced=`));
    const again = await testClient(t, { port: server.port, home });
    await again.api.connect();
    assert.equal((await again.next('connected')).trust, 'known');
  });

  it('takes no server but the one of --pin', async (t) => {
    const right = await testClient(t, { port: server.port, pin: server.fingerprint });
    await right.api.connect();
    assert.equal((await right.next('connected')).trust, 'known');
    const wrong = await testClient(t, { port: server.port, pin: generateIdentity().fingerprint });
    await assert.rejects(wrong.api.connect(), { code: 'server-key-changed', message: /--pin/u });
  });

  it('never makes pins anew when the file cannot be read', async (t) => {
    const home = await temporaryFolder(t);
    await writeFile(join(home, 'known_servers'), 'what is this\n');
    const client = await testClient(t, { port: server.port, home });
    await assert.rejects(client.api.connect(), { code: 'bad-pin-file', message: /Line 1/u });
  });

  it('says why it cannot connect', async (t) => {
    const client = await testClient(t, { port: 1 });
    await assert.rejects(client.api.connect(), { code: 'cannot-connect', message: 'Cannot connect to 127.0.0.1:1: nobody listens there.' });
  });

  describe('with somebody in the middle, at first contact, who relays every message', () => {
    it('fails the login and says why', async (t) => {
      await (await loggedIn(t, server.port, 'victim')).api.close();
      const mallory = await machineInTheMiddle(t, { port: server.port, tls: 'ended' });
      const client = await testClient(t, { port: mallory.port });
      await client.api.connect();
      await assert.rejects(client.api.login('victim', PASSWORD), { code: 'intercepted', message: /between you and the server/u });
      assert.ok(mallory.relayed > 0);
      await assert.rejects(stat(join(client.home, 'known_servers')), { code: 'ENOENT' });
    });

    it('fails the registration and says why', async (t) => {
      const mallory = await machineInTheMiddle(t, { port: server.port, tls: 'ended' });
      const client = await testClient(t, { port: mallory.port });
      await client.api.connect();
      await assert.rejects(client.api.register('not-made', PASSWORD), { code: 'intercepted' });
      const direct = await testClient(t, { port: server.port });
      await direct.api.connect();
      await direct.api.checkName('not-made');
    });

    it('fails the login even if the middle turns every refusal into a welcome', async (t) => {
      await (await loggedIn(t, server.port, 'flattered')).api.close();
      const mallory = await machineInTheMiddle(t, { port: server.port, tls: 'ended', flatter: true });
      const client = await testClient(t, { port: mallory.port });
      await client.api.connect();
      await assert.rejects(client.api.login('flattered', PASSWORD), { code: 'intercepted' });
    });
  });
});

function escaped(text: string): string {
  return text.replace(/[+/.]/gu, '\\$&');
}
