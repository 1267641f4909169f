/**
 * Registration, login and return over a server link (PROTOCOL.md 5.2 to 5.4), with every check that the client owes itself.
 */
import { P2pError } from '../protocol/errors.js';
import { canonicalUserName, isUserName } from '../protocol/names.js';
import type { ServerMessageOf } from '../protocol/server-messages.js';
import { channelProof, isChannelProof } from '../security/channel.js';
import { generateIdentity, signChannel, type Identity } from '../security/identity.js';
import { startLoginInThread, startRegistrationInThread, type PasswordAttempt } from '../security/password-thread.js';
import { openIdentity, sealIdentity } from '../security/sealed-key.js';
import type { ServerLink } from './server-link.js';

/** Who is logged in; enough to come back without a password. */
export interface Account {
  /** In the spelling of the registration. */
  readonly user: string;
  readonly identity: Identity;
}

/** @throws P2pError `bad-name`, saying what a name may be. */
export function checkUserName(user: string): void {
  if (!isUserName(user)) {
    throw new P2pError('bad-name', 'A name has 1 to 32 of the letters a-z, digits, ".", "_" and "-", and begins with a letter or digit. Choose another.');
  }
}

/** @throws P2pError `bad-name`, `name-taken`. */
export async function checkName(link: ServerLink, user: string): Promise<void> {
  checkUserName(user);
  await link.request({ type: 'name-check', user }, 'name-free');
}

/** Makes the account with a fresh identity; the login follows separately. @throws P2pError `name-taken`, `rate-limited`, … */
export async function register(link: ServerLink, user: string, password: string): Promise<void> {
  await checkName(link, user);
  const { record, exportKey } = await finished(await startRegistrationInThread(password), user, async (request) => {
    const { response } = await link.request({ type: 'register-start', user, request }, 'register-response');
    return response;
  });
  const identity = generateIdentity();
  const publicKey = identity.spki.toString('base64url');
  const sealedKey = sealIdentity(identity, exportKey, user);
  const signature = signChannel(identity, 'register', user, link.exporter);
  await orIntercepted(() => link.request({ type: 'register-finish', record, publicKey, sealedKey, signature }, 'registered'));
}

/**
 * Proves the password and the channel, and opens the identity.
 *
 * @throws P2pError `not-authenticated` for a wrong name or password, `intercepted` when the channel is not the server's own.
 */
export async function login(link: ServerLink, user: string, password: string): Promise<Account> {
  checkUserName(user);
  const proven = await finished(await startLoginInThread(password), user, async (request) => {
    const { response } = await link.request({ type: 'login-start', user, request }, 'login-response');
    return response;
  });
  if (proven === undefined) throw new P2pError('not-authenticated', 'Wrong name or password.');
  const proof = channelProof('client', proven.sessionKey, link.exporter);
  const welcome = await orIntercepted(() => link.request({ type: 'login-finish', finish: proven.finish, proof }, 'welcome'));
  if (welcome.proof === undefined || !isChannelProof(welcome.proof, 'server', proven.sessionKey, link.exporter)) throw intercepted();
  const identity = openIdentity(welcome.sealedKey, proven.exportKey, user, Buffer.from(welcome.publicKey, 'base64url'));
  return accountOf(link, welcome, user, identity);
}

/** Comes back on a new link by the identity's signature. @throws RequestRefused `not-authenticated` when the account is gone. */
export async function resume(link: ServerLink, account: Account): Promise<Account> {
  const { user, identity } = account;
  const signature = signChannel(identity, 'resume', user, link.exporter);
  const welcome = await link.request({ type: 'resume', user, signature }, 'welcome');
  return accountOf(link, welcome, user, identity);
}

/** Runs an attempt through `exchange`, which carries its request to the server and brings the response. */
async function finished<TResult>(attempt: PasswordAttempt<TResult>, user: string, exchange: (request: string) => Promise<string>): Promise<TResult> {
  try {
    return await attempt.finish(user, await exchange(attempt.request));
  } finally {
    await attempt.close();
  }
}

function accountOf(link: ServerLink, welcome: ServerMessageOf<'welcome'>, user: string, identity: Identity): Account {
  if (canonicalUserName(welcome.user) !== canonicalUserName(user)) throw intercepted();
  link.setLoggedIn();
  return { user: welcome.user, identity };
}

/**
 * Runs a request whose proof is right on this side. A server that finds it wrong sees another channel than we do, whatever
 * it says; other refusals are its own affair.
 */
async function orIntercepted<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof P2pError && (error.code === 'intercepted' || error.code === 'not-authenticated')) throw intercepted(error);
    throw error;
  }
}

function intercepted(cause?: unknown): P2pError {
  return new P2pError(
    'intercepted',
    'Somebody sits between you and the server: your password is right, but the encrypted channel does not end at the server. Nothing secret was given away. Do not use this network, or ask the operator for the fingerprint and start with --pin.',
    { cause },
  );
}
