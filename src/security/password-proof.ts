/**
 * OPAQUE (RFC 9807) with the parameters of PROTOCOL.md 6.1. All values are base64url strings, as the library has them.
 *
 * Owns the library: nobody else imports it. The client's last steps take about 250 ms of CPU and 64 MiB (Argon2id), so a
 * client runs them through password-thread.ts.
 */
import * as opaque from '@serenity-kit/opaque';
import { P2pError, RemoteViolation } from '../protocol/errors.js';
import { textLimits } from '../protocol/limits.js';
import { canonicalUserName } from '../protocol/names.js';
import { label } from '../protocol/version.js';

const KEY_STRETCHING = 'memory-constrained';

/** Resolves once the WebAssembly module can be used; every function below needs that. */
export async function passwordProofReady(): Promise<void> {
  await opaque.ready;
}

function identifiers(user: string) {
  return { client: canonicalUserName(user), server: label.opaqueServer };
}

function checkPassword(password: string): void {
  if (password === '') throw new P2pError('bad-argument', 'The password is empty. Choose one.');
  if (Buffer.byteLength(password) > textLimits.passwordBytes) {
    throw new P2pError('bad-argument', `The password is longer than ${textLimits.passwordBytes} bytes. Choose a shorter one.`);
  }
}

/** `record` is for the server; the export key seals the identity and stays here. */
export interface RegistrationResult {
  readonly record: string;
  readonly exportKey: string;
}

export interface LoginResult {
  /** OPAQUE's last message, for the server. */
  readonly finish: string;
  readonly sessionKey: string;
  readonly exportKey: string;
}

/** Client, registration. */
export function startRegistration(password: string): {
  readonly request: string;
  finish(user: string, response: string): RegistrationResult;
} {
  checkPassword(password);
  const { clientRegistrationState, registrationRequest } = opaque.client.startRegistration({ password });
  return {
    request: registrationRequest,
    finish(user, registrationResponse) {
      const parameters = { password, clientRegistrationState, registrationResponse, identifiers: identifiers(user), keyStretching: KEY_STRETCHING } as const;
      const { registrationRecord, exportKey } = understood(() => opaque.client.finishRegistration(parameters));
      return { record: registrationRecord, exportKey };
    },
  };
}

/** Client, login. `finish` returns undefined when the password does not fit what the server answered. */
export function startLogin(password: string): {
  readonly request: string;
  finish(user: string, response: string): LoginResult | undefined;
} {
  checkPassword(password);
  const { clientLoginState, startLoginRequest } = opaque.client.startLogin({ password });
  return {
    request: startLoginRequest,
    finish(user, loginResponse) {
      const parameters = { password, clientLoginState, loginResponse, identifiers: identifiers(user), keyStretching: KEY_STRETCHING } as const;
      const result = understood(() => opaque.client.finishLogin(parameters));
      return result && { finish: result.finishLoginRequest, sessionKey: result.sessionKey, exportKey: result.exportKey };
    },
  };
}

/** @throws RemoteViolation `bad-message` when the library cannot decode what the other side sent. */
function understood<T>(step: () => T): T {
  try {
    return step();
  } catch (cause) {
    throw new RemoteViolation('bad-message', 'A password proof is malformed.', { cause });
  }
}

/** Server: its long-term secret. Losing it makes every account unusable, so it lives in the store beside them. */
export function createServerSetup(): string {
  return opaque.server.createSetup();
}

/** Whether `setup` came from {@link createServerSetup}: a damaged one must end the start, not every login. */
export function isServerSetup(setup: string): boolean {
  try {
    opaque.server.getPublicKey(setup);
    return true;
  } catch {
    // The library throws a plain Error for anything it cannot decode; that is the answer asked for.
    return false;
  }
}

/** Server. @throws RemoteViolation `bad-message` when `request` is malformed. */
export function answerRegistration(serverSetup: string, user: string, request: string): string {
  const parameters = { serverSetup, userIdentifier: canonicalUserName(user), registrationRequest: request };
  return understood(() => opaque.server.createRegistrationResponse(parameters)).registrationResponse;
}

/**
 * Server. Without a `record` (unknown user) it answers from a fake one, so that nobody can tell (RFC 9807 section 10.9).
 *
 * @throws RemoteViolation `bad-message` when `request` is malformed.
 */
export function answerLogin(serverSetup: string, user: string, record: string | undefined, request: string): {
  readonly response: string;
  /** The session key, or undefined when the client's `finish` does not prove the password. */
  finish(finish: string): string | undefined;
} {
  const parameters = {
    serverSetup,
    userIdentifier: canonicalUserName(user),
    registrationRecord: record,
    startLoginRequest: request,
    identifiers: identifiers(user),
  };
  const { loginResponse, serverLoginState } = understood(() => opaque.server.startLogin(parameters));
  return {
    response: loginResponse,
    finish(finishLoginRequest) {
      try {
        return opaque.server.finishLogin({ serverLoginState, finishLoginRequest, identifiers: identifiers(user) }).sessionKey;
      } catch {
        // A wrong or malformed proof: the library knows one error for both, and so do we.
        return undefined;
      }
    },
  };
}
