/**
 * The client's OPAQUE steps in a thread of their own: Argon2id takes about 250 ms and 64 MiB, which WebAssembly never gives
 * back to the process as long as its thread lives.
 *
 * Owns the thread's life. The steps themselves are in password-proof.ts, which password-worker.ts runs.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { P2pError, RemoteViolation } from '../protocol/errors.js';
import type { LoginResult, RegistrationResult } from './password-proof.js';

/** What the worker is told, one after the other. */
export type PasswordStep =
  | { readonly step: 'start'; readonly kind: 'registration' | 'login'; readonly password: string }
  | { readonly step: 'finish'; readonly user: string; readonly response: string };

/** What it answers to each. */
export type PasswordReply =
  | { readonly ok: true; readonly value: string | RegistrationResult | LoginResult | undefined }
  | { readonly ok: false; readonly malformed: boolean; readonly message: string };

/** One registration or login under way. */
export interface PasswordAttempt<TResult> {
  /** OPAQUE's first message, base64url. */
  readonly request: string;
  /** @throws RemoteViolation `bad-message` when `response` is malformed. */
  finish(user: string, response: string): Promise<TResult>;
  /** Ends the thread; due also after a failure. */
  close(): Promise<void>;
}

/** @throws P2pError `bad-argument` for a password that cannot be used. */
export function startRegistrationInThread(password: string): Promise<PasswordAttempt<RegistrationResult>> {
  return start<RegistrationResult>('registration', password);
}

/** `finish` yields undefined when the password does not fit what the server answered. @throws like {@link startRegistrationInThread}. */
export function startLoginInThread(password: string): Promise<PasswordAttempt<LoginResult | undefined>> {
  return start<LoginResult | undefined>('login', password);
}

async function start<TResult>(kind: 'registration' | 'login', password: string): Promise<PasswordAttempt<TResult>> {
  const worker = new Worker(new URL('./password-worker.js', import.meta.url));
  const ask = async (step: PasswordStep) => {
    worker.postMessage(step);
    const [reply] = (await once(worker, 'message')) as [PasswordReply];
    if (reply.ok) return reply.value;
    throw reply.malformed ? new RemoteViolation('bad-message', reply.message) : new P2pError('bad-argument', reply.message);
  };
  const close = async () => {
    await worker.terminate();
  };
  try {
    const request = (await ask({ step: 'start', kind, password })) as string;
    return { request, close, finish: async (user, response) => (await ask({ step: 'finish', user, response })) as TResult };
  } catch (error) {
    await close();
    throw error;
  }
}
