/** The thread of password-thread.ts: runs one registration or login, step by step. */
import { parentPort } from 'node:worker_threads';
import { P2pError, RemoteViolation } from '../protocol/errors.js';
import { passwordProofReady, startLogin, startRegistration, type LoginResult, type RegistrationResult } from './password-proof.js';
import type { PasswordReply, PasswordStep } from './password-thread.js';

let attempt: { readonly request: string; finish(user: string, response: string): RegistrationResult | LoginResult | undefined } | undefined;

async function run(step: PasswordStep): Promise<PasswordReply> {
  try {
    await passwordProofReady();
    if (step.step === 'finish') return { ok: true, value: attempt?.finish(step.user, step.response) };
    attempt = step.kind === 'login' ? startLogin(step.password) : startRegistration(step.password);
    return { ok: true, value: attempt.request };
  } catch (error) {
    // Anything else is a bug: it ends this thread, and with it the program.
    if (!(error instanceof P2pError)) throw error;
    return { ok: false, malformed: error instanceof RemoteViolation, message: error.message };
  }
}

parentPort?.on('message', (step: PasswordStep) => {
  void run(step).then((reply) => parentPort?.postMessage(reply));
});
