/** Somebody asks for a client in the moment of its login: the question waits until the client can answer it. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { deferred } from '../../src/net/deferred.js';
import { loggedIn, PASSWORD, testClient } from '../helpers/test-client.js';
import { startTestServer } from '../helpers/test-server.js';

it('a client that is asked for while it still sets itself up answers', async (t) => {
  let online = deferred<undefined>();
  const server = await startTestServer({
    accounts: ['asker'],
    wrap: (backend) => {
      const announce = backend.announce.bind(backend);
      backend.announce = async (address, user) => {
        await announce(address, user);
        if (user === 'late') online.resolve(undefined);
      };
      return backend;
    },
  });
  t.after(() => server.dispose());
  await (await loggedIn(t, server.port, 'late')).api.close();
  await online.promise;
  online = deferred();
  const asker = await server.enter('asker');
  const late = await testClient(t, { port: server.port });
  await late.api.connect();
  const login = late.api.login('late', PASSWORD);
  // The server counts a client as online before the client has read its welcome.
  await online.promise;
  asker.send({ type: 'connect', id: asker.nextId(), to: 'late', reach: { port: 4000, candidates: [] } });
  assert.equal((await asker.expect('introduction')).peer.user, 'late');
  await login;
});
