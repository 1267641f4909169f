/** Somebody with a certificate of his own between client and server, at first contact (DESIGN 3.5; HOSTILE 10). */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after, before, describe, it } from 'node:test';
import tls, { type Server } from 'node:tls';
import { SERVER_ALPN } from '../../src/protocol/version.js';
import { channelProof } from '../../src/security/channel.js';
import { generateIdentity, signChannel } from '../../src/security/identity.js';
import { startLogin, startRegistration } from '../../src/security/password-proof.js';
import { testIdentity } from '../helpers/sockets.js';
import { RawServerClient } from '../helpers/raw-server-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

describe('a man in the middle', { timeout: 60_000 }, () => {
  let server: TestServer;
  let middle: Server;
  let port: number;
  before(async () => {
    server = await startTestServer();
    await (await server.open()).register('alice', 'right');
    const { credentials } = await testIdentity();
    // He relays every byte inside TLS, so the server's answers and the client's are genuine.
    middle = tls.createServer({ ...credentials, minVersion: 'TLSv1.3', ALPNProtocols: [SERVER_ALPN] }, (victim) => {
      const onward = tls.connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: [SERVER_ALPN] });
      victim.on('error', () => onward.destroy()).on('close', () => onward.destroy());
      onward.on('error', () => victim.destroy()).on('close', () => victim.destroy());
      victim.pipe(onward).pipe(victim);
    });
    middle.listen(0, '127.0.0.1');
    await once(middle, 'listening');
    port = (middle.address() as AddressInfo).port;
  });
  after(async () => {
    await server.dispose();
    middle.close();
  });

  it('cannot carry a login through: the password is right and the server says "intercepted"', async () => {
    const client = await RawServerClient.open({ port });
    const login = startLogin('right');
    client.send({ type: 'login-start', id: 1, user: 'alice', request: login.request });
    const { response } = await client.expect('login-response');
    const result = login.finish('alice', response);
    assert.ok(result !== undefined);
    client.send({ type: 'login-finish', id: 2, finish: result.finish, proof: channelProof('client', result.sessionKey, client.exporter) });
    assert.equal((await client.expect('error')).code, 'intercepted');
    await client.closed;
  });

  it('cannot carry a registration through', async () => {
    const client = await RawServerClient.open({ port });
    const registration = startRegistration('right');
    client.send({ type: 'register-start', id: 1, user: 'bob', request: registration.request });
    const { record } = registration.finish('bob', (await client.expect('register-response')).response);
    const identity = generateIdentity();
    const signature = signChannel(identity, 'register', 'bob', client.exporter);
    client.send({ type: 'register-finish', id: 2, record, publicKey: identity.spki.toString('base64url'), sealedKey: 'c2VhbGVk', signature });
    assert.equal((await client.expect('error')).code, 'not-authenticated');
  });

  it('cannot carry a return through', async () => {
    const direct = await server.open();
    const identity = await direct.register('carol', 'right');
    const client = await RawServerClient.open({ port });
    client.send({ type: 'resume', id: 1, user: 'carol', signature: signChannel(identity, 'resume', 'carol', client.exporter) });
    assert.equal((await client.expect('error')).code, 'not-authenticated');
  });
});
