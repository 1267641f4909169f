/** Registration, login, return and displacement as a client sees them (PROTOCOL.md 5.2 to 5.4; HOSTILE 15). */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

describe('accounts over the wire', () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
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
});
