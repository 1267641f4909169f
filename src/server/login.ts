/**
 * Login and return on one link (PROTOCOL.md 5.3, 5.4): what proves that a client may act for an account.
 *
 * An unknown name goes through every step that a known one does, with the decoy account, and ends in the same words (HOSTILE 7).
 */
import { RequestRefused } from '../protocol/errors.js';
import { serverLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import type { ClientMessageOf } from '../protocol/server-messages.js';
import { channelProof, isChannelProof } from '../security/channel.js';
import { verifyChannel } from '../security/identity.js';
import { answerLogin } from '../security/password-proof.js';
import type { Account, Backend } from './backend.js';
import type { Rates } from './rates.js';
import type { Turns } from './turns.js';

export interface LoginOptions {
  readonly backend: Backend;
  readonly turns: Turns;
  readonly exporter: Uint8Array;
  /** Counts attempts per account; those that succeed are given back. */
  readonly failures: Rates;
}

interface Attempt {
  readonly name: string;
  readonly account: Account;
  readonly genuine: boolean;
  readonly answer: ReturnType<typeof answerLogin>;
}

export class Login {
  readonly #options: LoginOptions;
  #attempt: Attempt | undefined;
  #attempts = 0;

  constructor(options: LoginOptions) {
    this.#options = options;
  }

  /** @returns OPAQUE's response. @throws RequestRefused `rate-limited`, `too-many-attempts` (the link must be closed); RemoteViolation. */
  async start({ user, request }: ClientMessageOf<'login-start'>): Promise<string> {
    const { backend, turns } = this.#options;
    const name = canonicalUserName(user);
    // A client with a wrong password stops here, so this is what is counted, not the finish that never comes.
    await this.#countAttempt(name);
    const { account, genuine } = await backend.findForLogin(name);
    const answer = await turns.run(() => answerLogin(backend.secrets.opaqueSetup, name, account.record, request));
    this.#attempt = { name, account, genuine, answer };
    return answer.response;
  }

  /** @returns the account and the server's proof. @throws RequestRefused `not-authenticated`, `intercepted` (the link must be closed). */
  async finish(message: ClientMessageOf<'login-finish'>): Promise<{ readonly account: Account; readonly proof: string }> {
    const { turns, exporter, failures } = this.#options;
    const attempt = this.#attempt;
    if (attempt === undefined) throw new Error('login-finish without login-start');
    this.#attempt = undefined;
    const sessionKey = await turns.run(() => attempt.answer.finish(message.finish));
    if (sessionKey === undefined || !attempt.genuine) throw notAuthenticated();
    if (!isChannelProof(message.proof, 'client', sessionKey, exporter)) {
      throw new RequestRefused('intercepted', 'The password is right, but somebody sits between you and the server.');
    }
    await failures.giveBack(attempt.name);
    return { account: attempt.account, proof: channelProof('server', sessionKey, exporter) };
  }

  /** @throws RequestRefused `not-authenticated`, `too-many-attempts` (the link must be closed). */
  async resume({ user, signature }: ClientMessageOf<'resume'>): Promise<Account> {
    this.#countOnLink();
    const { account, genuine } = await this.#options.backend.findForLogin(canonicalUserName(user));
    const valid = verifyChannel(Buffer.from(account.publicKey, 'base64url'), 'resume', user, this.#options.exporter, signature);
    if (!valid || !genuine) throw notAuthenticated();
    return account;
  }

  async #countAttempt(name: string): Promise<void> {
    this.#countOnLink();
    if (!(await this.#options.failures.take(name))) {
      throw new RequestRefused('rate-limited', 'Too many failed logins for this name. Try again in 15 minutes.');
    }
  }

  #countOnLink(): void {
    this.#attempts += 1;
    if (this.#attempts > serverLimits.loginAttemptsPerConnection) {
      throw new RequestRefused('too-many-attempts', 'Too many failed logins on this connection. Connect again.');
    }
  }
}

function notAuthenticated(): RequestRefused {
  return new RequestRefused('not-authenticated', 'Wrong name or password.');
}
