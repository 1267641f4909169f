/** OPAQUE as this project uses it (PROTOCOL.md 6.1). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { P2pError, RemoteViolation } from '../../src/protocol/errors.js';
import { textLimits } from '../../src/protocol/limits.js';
import { answerLogin, answerRegistration, createServerSetup, isServerSetup, passwordProofReady, startLogin, startRegistration } from '../../src/security/password-proof.js';

describe('password proof', () => {
  let setup: string;
  let record: string;
  let exportKey: string;
  before(async () => {
    await passwordProofReady();
    setup = createServerSetup();
    ({ record, exportKey } = register('Alice', 'correct horse'));
  });

  function register(user: string, password: string): { record: string; exportKey: string } {
    const registration = startRegistration(password);
    return registration.finish(user, answerRegistration(setup, user, registration.request));
  }

  it('gives both sides one session key, and the client the export key of the registration', () => {
    const login = startLogin('correct horse');
    const answer = answerLogin(setup, 'alice', record, login.request);
    const result = login.finish('ALICE', answer.response);
    assert.ok(result !== undefined);
    assert.equal(answer.finish(result.finish), result.sessionKey);
    assert.equal(result.exportKey, exportKey);
    assert.equal(Buffer.from(result.sessionKey, 'base64url').length, 64);
  });

  it('has a new session key each time', () => {
    const keys = [1, 2].map(() => {
      const login = startLogin('correct horse');
      return login.finish('alice', answerLogin(setup, 'alice', record, login.request).response)?.sessionKey;
    });
    assert.notEqual(keys[0], keys[1]);
  });

  it('shows the client, and not the server, that a password is wrong', () => {
    const login = startLogin('wrong horse');
    assert.equal(login.finish('alice', answerLogin(setup, 'alice', record, login.request).response), undefined);
  });

  it('looks the same from outside for a name without a record', () => {
    const login = startLogin('correct horse');
    const [known, unknown] = [answerLogin(setup, 'alice', record, login.request), answerLogin(setup, 'nobody', undefined, login.request)];
    assert.equal(unknown.response.length, known.response.length);
    assert.equal(login.finish('nobody', unknown.response), undefined);
  });

  it('does not open the record of one account for another, or at another server', () => {
    const asBob = startLogin('correct horse');
    assert.equal(asBob.finish('bob', answerLogin(setup, 'bob', record, asBob.request).response), undefined);
    const elsewhere = startLogin('correct horse');
    assert.equal(elsewhere.finish('alice', answerLogin(createServerSetup(), 'alice', record, elsewhere.request).response), undefined);
  });

  it('yields no session key for a finish that is wrong, malformed or of another login', () => {
    const [one, two] = [startLogin('correct horse'), startLogin('correct horse')];
    const answer = answerLogin(setup, 'alice', record, one.request);
    const other = answerLogin(setup, 'alice', record, two.request);
    const result = two.finish('alice', other.response);
    assert.ok(result !== undefined);
    for (const finish of [result.finish, randomBytes(64).toString('base64url'), 'AAAA', '']) assert.equal(answer.finish(finish), undefined);
  });

  it('calls what it cannot decode a violation', () => {
    for (const request of ['AAAA', randomBytes(96).toString('base64url'), Buffer.alloc(96, 0xff).toString('base64url')]) {
      assert.throws(() => answerLogin(setup, 'alice', record, request), RemoteViolation);
      assert.throws(() => answerRegistration(setup, 'alice', request), RemoteViolation);
      assert.throws(() => startLogin('x').finish('alice', request), RemoteViolation);
      assert.throws(() => startRegistration('x').finish('alice', request), RemoteViolation);
    }
  });

  it('refuses an empty password and one that must be a mistake', () => {
    const refused = (error: unknown) => error instanceof P2pError && error.code === 'bad-argument';
    for (const password of ['', 'x'.repeat(textLimits.passwordBytes + 1), 'é'.repeat(textLimits.passwordBytes / 2 + 1)]) {
      assert.throws(() => startLogin(password), refused);
      assert.throws(() => startRegistration(password), refused);
    }
  });

  it('knows a setup from noise', () => {
    assert.ok(isServerSetup(setup));
    assert.ok(!isServerSetup('noise'));
    assert.ok(!isServerSetup(setup.slice(0, -8)));
  });
});
