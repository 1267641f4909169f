/**
 * Registration on one link (PROTOCOL.md 5.2): what makes a new account.
 *
 * Owns the steps and their refusals; legality and order are decided by the table of PROTOCOL.md 5.6 before a step is taken.
 */
import { RemoteViolation, RequestRefused } from '../protocol/errors.js';
import { canonicalUserName } from '../protocol/names.js';
import type { ClientMessageOf } from '../protocol/server-messages.js';
import { verifyChannel } from '../security/identity.js';
import { answerLogin, answerRegistration, startLogin } from '../security/password-proof.js';
import type { Account, Backend } from './backend.js';
import type { Rates } from './rates.js';
import type { Turns } from './turns.js';

export interface RegistrationOptions {
  readonly backend: Backend;
  readonly turns: Turns;
  readonly exporter: Uint8Array;
  /** Counts registrations; undefined for an address that is exempt. */
  readonly quota: { readonly rates: Rates; readonly key: string } | undefined;
}

export class Registration {
  readonly #options: RegistrationOptions;
  #user: string | undefined;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** @throws RequestRefused `name-taken`. */
  async checkName(user: string): Promise<void> {
    if (await this.#options.backend.hasAccount(canonicalUserName(user))) throw nameTaken(user);
  }

  /** @returns OPAQUE's response. @throws RequestRefused `name-taken`, `rate-limited`; RemoteViolation. */
  async start({ user, request }: ClientMessageOf<'register-start'>): Promise<string> {
    await this.checkName(user);
    const { quota, turns, backend } = this.#options;
    if (quota !== undefined && !(await quota.rates.take(quota.key))) {
      throw new RequestRefused('rate-limited', 'Too many new accounts from your address. Try again in an hour.');
    }
    this.#user = user;
    return await turns.run(() => answerRegistration(backend.secrets.opaqueSetup, user, request));
  }

  /** Resolves once the account is durable. @throws RequestRefused `not-authenticated`, `name-taken`; RemoteViolation. */
  async finish({ record, publicKey, sealedKey, signature }: ClientMessageOf<'register-finish'>): Promise<Account> {
    const { backend, turns, exporter } = this.#options;
    const user = this.#user;
    if (user === undefined) throw new Error('register-finish without register-start');
    this.#user = undefined;
    if (!verifyChannel(Buffer.from(publicKey, 'base64url'), 'register', user, exporter, signature)) {
      throw new RequestRefused('not-authenticated', 'The signature does not fit this connection. Somebody may sit between you and the server.');
    }
    await turns.run(() => checkRecord(backend.secrets.opaqueSetup, user, record));
    const account: Account = { user, record, publicKey, sealedKey, createdAt: new Date().toISOString() };
    if (!(await backend.createAccount(account))) throw nameTaken(user);
    return account;
  }
}

/** A record that no login could be answered from must not become an account. */
function checkRecord(opaqueSetup: string, user: string, record: string): void {
  try {
    answerLogin(opaqueSetup, user, record, startLogin('probe').request);
  } catch (cause) {
    throw new RemoteViolation('bad-message', 'The registration record is malformed.', { cause });
  }
}

function nameTaken(user: string): RequestRefused {
  return new RequestRefused('name-taken', `The name ${user} is taken. Choose another, or log in if it is yours.`);
}
