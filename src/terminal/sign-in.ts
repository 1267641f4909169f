/**
 * From a connected engine to a logged-in one: with what was given, or by asking. Knows nothing of how questions are asked.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ClientApi } from '../client/api.js';
import { P2pError } from '../protocol/errors.js';
import { isUserName } from '../protocol/names.js';
import { checkPassword } from './password-source.js';
import { terminalLimits } from '../protocol/limits.js';

/** Blocks while the person types. Undefined means that they want to stop (Ctrl-D). */
export interface Questioner {
  ask(question: string): string | undefined;
  /** Nothing of the answer is shown. */
  askHidden(question: string): string | undefined;
  /** Shown between questions. */
  say(text: string): void;
}

export interface SignInOptions {
  readonly user: string | undefined;
  readonly newUser: boolean | undefined;
  readonly password: string | undefined;
}

/**
 * Without a terminal.
 *
 * @throws P2pError `usage`, `password-missing` before anything is sent; then as {@link ClientApi.login} and `register`.
 */
export async function signInSilently(api: ClientApi, options: SignInOptions): Promise<void> {
  const { user, password } = requireCredentials(options);
  if (options.newUser === true) await api.register(user, password);
  else await api.login(user, password);
}

/** @throws P2pError `usage` or `password-missing`, saying which options a start without questions needs. */
export function requireCredentials(options: SignInOptions): { user: string; password: string } {
  if (options.user === undefined) {
    throw new P2pError('usage', 'Without a terminal nobody can be asked: give --user NAME, and the password by --password-file FILE or in P2P_PASSWORD. --new makes a new account.');
  }
  if (options.password === undefined) {
    throw new P2pError('password-missing', 'Without a terminal nobody can be asked: give the password by --password-file FILE or in P2P_PASSWORD.');
  }
  return { user: options.user, password: options.password };
}

/**
 * Asks for what was not given. A taken or impossible name and a wrong password are asked for again.
 *
 * @throws P2pError `not-authenticated` after three wrong passwords or when the person stops.
 */
export async function signInByAsking(api: ClientApi, options: SignInOptions, questioner: Questioner): Promise<void> {
  if (options.newUser ?? (options.user === undefined && (await askWhetherNew(questioner)))) await registerByAsking(api, options, questioner);
  else await logInByAsking(api, options, questioner);
}

async function askWhetherNew(questioner: Questioner): Promise<boolean> {
  for (;;) {
    const reply = (await answer(questioner.ask('Are you a new or a returning user? [new/returning] '))).trim().toLowerCase();
    if (/^(?:n|new)$/u.test(reply)) return true;
    if (/^(?:r|returning)$/u.test(reply)) return false;
    questioner.say('Type "new" to make an account, "returning" if you have one.');
  }
}

async function registerByAsking(api: ClientApi, options: SignInOptions, questioner: Questioner): Promise<void> {
  let given = options.user;
  for (;;) {
    const user = given ?? (await askName(questioner, undefined));
    given = undefined;
    try {
      // Said before a password is thought of.
      await api.checkName(user);
      await api.register(user, options.password ?? (await askNewPassword(questioner)));
      return;
    } catch (error) {
      if (!(error instanceof P2pError) || (error.code !== 'name-taken' && error.code !== 'bad-name')) throw error;
      questioner.say(error.message);
      if (error.code === 'name-taken') questioner.say('To log in, leave with Ctrl-C and start again as a returning user.');
    }
  }
}

async function logInByAsking(api: ClientApi, options: SignInOptions, questioner: Questioner): Promise<void> {
  let user = options.user ?? (await askName(questioner, undefined));
  for (let attempt = 1; ; attempt += 1) {
    const password = options.password ?? (await askPassword(questioner, 'Password: '));
    try {
      await api.login(user, password);
      return;
    } catch (error) {
      const again = error instanceof P2pError && error.code === 'not-authenticated' && attempt < terminalLimits.passwordAttempts;
      // What came from a file would be the same the next time.
      if (!again || options.password !== undefined) throw error;
      questioner.say(error.message);
    }
    if (options.user === undefined) user = await askName(questioner, user);
  }
}

async function askName(questioner: Questioner, last: string | undefined): Promise<string> {
  for (;;) {
    const typed = (await answer(questioner.ask(last === undefined ? 'Name: ' : `Name [${last}]: `))).trim();
    const user = typed === '' && last !== undefined ? last : typed;
    if (isUserName(user)) return user;
    questioner.say('A name has 1 to 32 of a-z A-Z 0-9 . _ - and begins with a letter or digit.');
  }
}

async function askPassword(questioner: Questioner, question: string): Promise<string> {
  for (;;) {
    const password = await answer(questioner.askHidden(question));
    try {
      checkPassword(password, 'What you typed');
      return password;
    } catch (error) {
      if (!(error instanceof P2pError)) throw error;
      questioner.say(error.message);
    }
  }
}

async function askNewPassword(questioner: Questioner): Promise<string> {
  for (;;) {
    const password = await askPassword(questioner, 'New password: ');
    if ((await answer(questioner.askHidden('The same once more: '))) === password) return password;
    questioner.say('These were not the same.');
  }
}

/** Gives the event loop a turn after each question: while a person types nothing else runs. */
async function answer(reply: string | undefined): Promise<string> {
  await nextTurn();
  if (reply === undefined) throw new P2pError('not-authenticated', 'You did not log in.');
  return reply;
}
