/** Registration, login, return and displacement as a client sees them (PROTOCOL.md 5.1 to 5.4; HOSTILE 15). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { generateIdentity, signChannel } from '../../src/security/identity.js';
import { startLogin, startRegistration } from '../../src/security/password-proof.js';
import type { RawServerClient } from '../helpers/raw-server-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

describe('accounts over the wire', { timeout: 60_000 }, () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ accounts: ['bob', 'carol', 'dave'] });
  });
  after(() => server.dispose());

  it('registers, and then logs in with the password alone', async () => {
    const client = await server.open();
    const identity = await client.register('Alice', 'correct horse');
    const result = await client.login('alice', 'correct horse');
    assert.equal(result?.welcome.user, 'Alice');
    assert.equal(result.identity.fingerprint, identity.fingerprint);
    assert.deepEqual(result.welcome.observed, { address: '127.0.0.1', port: client.socket.localPort });
  });

  it('says at once whether a name is free, without regard to case', async () => {
    const client = await server.open();
    client.send({ type: 'name-check', id: 1, user: 'BOB' });
    assert.equal((await client.expect('error')).code, 'name-taken');
    client.send({ type: 'name-check', id: 2, user: 'nobody-yet' });
    assert.equal((await client.expect('name-free')).id, 2);
    client.send({ type: 'register-start', id: 3, user: 'Bob', request: startRegistration('x').request });
    assert.equal((await client.expect('error')).code, 'name-taken');
  });

  it('refuses a registration whose signature is of another key, name or channel', async () => {
    const client = await server.open();
    const other = await server.open();
    const [own, foreign] = [generateIdentity(), generateIdentity()];
    const signatures = [
      signChannel(foreign, 'register', 'erin', client.exporter),
      signChannel(own, 'register', 'eve', client.exporter),
      signChannel(own, 'register', 'erin', other.exporter),
      signChannel(own, 'resume', 'erin', client.exporter),
    ];
    for (const signature of signatures) {
      const answer = await finishRegistration(client, 'erin', { publicKey: own.spki.toString('base64url'), signature });
      assert.equal(answer.type === 'error' && answer.code, 'not-authenticated');
    }
    client.send({ type: 'name-check', id: client.nextId(), user: 'erin' });
    await client.expect('name-free');
  });

  it('refuses a public key that is none', async () => {
    const client = await server.open();
    const own = generateIdentity();
    const signature = signChannel(own, 'register', 'erin', client.exporter);
    const answer = await finishRegistration(client, 'erin', { publicKey: Buffer.alloc(44).toString('base64url'), signature });
    assert.equal(answer.type === 'error' && answer.code, 'not-authenticated');
  });

  it('refuses a record from which no login could be answered', async () => {
    const client = await server.open();
    const own = generateIdentity();
    const answer = await finishRegistration(client, 'erin', {
      publicKey: own.spki.toString('base64url'),
      signature: signChannel(own, 'register', 'erin', client.exporter),
      record: Buffer.alloc(192, 0xff).toString('base64url'),
    });
    assert.equal(answer.type === 'bye' && answer.code, 'bad-message');
    await client.closed;
  });

  it('gives a name to exactly one of two who register it at once', async () => {
    const [one, two] = [await server.open(), await server.open()];
    const results = await Promise.allSettled([one.register('Frank', 'password one'), two.register('fRANK', 'password two')]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const [loser, password] = results[0].status === 'rejected' ? [one, 'password two'] : [two, 'password one'];
    assert.ok((await loser.login('frank', password)) !== undefined);
  });

  it('lets a client return with its key and no password', async () => {
    const client = await server.open();
    const welcome = await client.resume('BOB', server.identities.get('bob')!);
    assert.equal(welcome.user, 'bob');
    assert.equal(welcome.proof, undefined);
  });

  it('refuses a return with another key, channel or purpose, in one word', async () => {
    const client = await server.open();
    const other = await server.open();
    const bob = server.identities.get('bob')!;
    const attempts = [
      { user: 'bob', signature: signChannel(generateIdentity(), 'resume', 'bob', client.exporter) },
      { user: 'bob', signature: signChannel(bob, 'resume', 'bob', other.exporter) },
      { user: 'nobody', signature: signChannel(bob, 'resume', 'nobody', client.exporter) },
    ];
    const answers = new Set<string>();
    for (const attempt of attempts) {
      client.send({ type: 'resume', id: 7, ...attempt });
      answers.add(JSON.stringify(await client.expect('error')));
    }
    assert.equal(answers.size, 1);
    assert.match([...answers][0]!, /not-authenticated/u);
  });

  it('ends the link at the fourth attempt', async () => {
    const client = await server.open();
    for (let attempt = 1; attempt <= 3; attempt += 1) assert.equal(await client.login('bob', `wrong ${attempt}`), undefined);
    client.send({ type: 'login-start', id: 99, user: 'bob', request: startLogin('wrong 4').request });
    assert.equal((await client.expect('error')).code, 'too-many-attempts');
    await client.closed;
  });

  it('displaces an older login, tells it so, and leaves the newer one on the list', async () => {
    const old = await server.enter('carol');
    const fresh = await server.enter('carol');
    assert.equal((await old.expect('bye')).code, 'displaced');
    await old.closed;
    fresh.send({ type: 'list', id: 1, prefix: 'carol' });
    assert.deepEqual((await fresh.expect('clients')).clients, ['carol']);
  });

  it('takes whoever leaves off the list, politely or not', async () => {
    const watcher = await server.enter('bob');
    for (const [n, leave] of (['bye', 'cut'] as const).entries()) {
      const dave = await server.enter('dave');
      if (leave === 'bye') dave.send({ type: 'bye' });
      else dave.socket.destroy();
      await server.logged(/"user":"dave".*link ended/u, n + 1);
      watcher.send({ type: 'list', id: 1, prefix: 'dave' });
      assert.equal((await watcher.expect('clients')).total, 0);
    }
  });
});

/** A registration up to its end, of which parts may be wrong. */
async function finishRegistration(client: RawServerClient, user: string, parts: { publicKey: string; signature: string; record?: string }) {
  const registration = startRegistration('a password');
  client.send({ type: 'register-start', id: client.nextId(), user, request: registration.request });
  const { response } = await client.expect('register-response');
  const { record } = registration.finish(user, response);
  client.send({ type: 'register-finish', id: client.nextId(), record, sealedKey: 'c2VhbGVk', ...parts });
  return await client.next();
}
