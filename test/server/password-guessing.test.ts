/** What a guesser learns and how often he may ask (PROTOCOL.md 5.3; HOSTILE 7, 8). */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { serverLimits } from '../../src/protocol/limits.js';
import type { ServerMessage } from '../../src/protocol/server-messages.js';
import { startLogin } from '../../src/security/password-proof.js';
import type { Backend } from '../../src/server/backend.js';
import type { RawServerClient } from '../helpers/raw-server-client.js';
import { startTestServer, type TestServer } from '../helpers/test-server.js';

/** Notes every call of a method of `backend`. */
function noting(backend: Backend, calls: string[]): Backend {
  return new Proxy(backend, {
    get(target, key): unknown {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        calls.push(String(key));
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}

describe('guessing', { timeout: 60_000 }, () => {
  let server: TestServer;
  const calls: string[] = [];
  before(async () => {
    server = await startTestServer({ wrap: (backend) => noting(backend, calls) });
    await (await server.open()).register('alice', 'right');
  });
  after(() => server.dispose());
  beforeEach(() => {
    calls.length = 0;
  });

  /** Every answer to a login with a wrong password, carried to its end although an honest client would stop. */
  async function transcript(user: string): Promise<{ answers: ServerMessage[]; calls: string[] }> {
    calls.length = 0;
    const client = await server.open();
    client.send({ type: 'login-start', id: 1, user, request: startLogin('wrong').request });
    const response = await client.next();
    client.send({ type: 'login-finish', id: 2, finish: Buffer.alloc(64).toString('base64url'), proof: Buffer.alloc(32).toString('base64url') });
    return { answers: [response, await client.next()], calls: [...calls] };
  }

  it('answers an unknown name and a wrong password in the same words, with the same work', async () => {
    const [known, unknown] = [await transcript('alice'), await transcript('nobody')];
    assert.deepEqual(unknown.answers.map(shape), known.answers.map(shape));
    assert.equal(known.answers[1]?.type === 'error' && known.answers[1].code, 'not-authenticated');
    assert.deepEqual(unknown.answers[1], known.answers[1]);
    assert.deepEqual(unknown.calls, known.calls);
    assert.deepEqual(known.calls, ['findForLogin']);
  });

  it('answers an unknown name as consistently as a known one', async () => {
    const { request } = startLogin('same request');
    for (const user of ['alice', 'nobody']) {
      const masked = new Set<string>();
      for (let n = 1; n <= 2; n += 1) {
        const client = await server.open();
        client.send({ type: 'login-start', id: 1, user, request });
        const { response } = await client.expect('login-response');
        // The first 32 bytes are the evaluated element, which depends on name and request alone (RFC 9807 section 6.3.2.2).
        masked.add(Buffer.from(response, 'base64url').subarray(0, 32).toString('hex'));
      }
      assert.equal(masked.size, 1, user);
    }
  });

  it('puts off an account after its failures, existing or not, and no other', async () => {
    for (const user of ['victim', 'ALICE']) {
      let refusals = 0;
      for (let sent = 0; sent < serverLimits.loginFailuresPerAccount + 3; sent += 3) refusals += await guessThrice(await server.open(), user);
      assert.ok(refusals > 0, user);
      const client = await server.open();
      client.send({ type: 'login-start', id: 1, user, request: startLogin('x').request });
      assert.equal((await client.expect('error')).code, 'rate-limited');
    }
    const client = await server.open();
    await client.register('bob', 'right');
    assert.ok((await client.login('bob', 'right')) !== undefined);
  });

  it('does not count a login that succeeds', async () => {
    await (await server.open()).register('carol', 'right');
    for (let n = 0; n <= serverLimits.loginFailuresPerAccount; n += 1) {
      const client = await server.open();
      assert.ok((await client.login('carol', 'right')) !== undefined);
      await client.end();
    }
  });

  it('serves others between the steps of a crowd', async () => {
    const alice = await server.open();
    const crowd = await Promise.all(Array.from({ length: 50 }, () => server.open()));
    const { request } = startLogin('x');
    let answered = 0;
    const all = crowd.map(async (client, n) => {
      client.send({ type: 'login-start', id: 1, user: `somebody${n}`, request });
      await client.next();
      answered += 1;
    });
    await alice.roundTrip();
    assert.ok(answered < crowd.length, `${answered} logins were answered before one ping`);
    await Promise.all(all);
  });
});

/** The fields of a message and the lengths of its values. */
function shape(message: ServerMessage): Record<string, unknown> {
  return Object.fromEntries(Object.entries(message).map(([key, value]) => [key, typeof value === 'string' && key === 'response' ? value.length : value]));
}

/** Three guesses on one link; how many were put off. */
async function guessThrice(client: RawServerClient, user: string): Promise<number> {
  let refused = 0;
  for (let n = 1; n <= 3; n += 1) {
    client.send({ type: 'login-start', id: n, user, request: startLogin('x').request });
    const answer = await client.next();
    if (answer.type === 'error' && answer.code === 'rate-limited') refused += 1;
  }
  await client.end();
  return refused;
}
