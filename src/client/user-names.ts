/**
 * User names that a program hands to the engine, checked before anything is done with them: the server ends the link of whoever
 * sends it another, and files hold a name a line. What a name may be is the rule of protocol/names.ts.
 */
import { P2pError } from '../protocol/errors.js';
import { isUserName } from '../protocol/names.js';

const PREFIX = /^[A-Za-z0-9._-]{0,32}$/u;

/** @throws P2pError `bad-name`, saying what a name may be. */
export function checkUser(user: string): void {
  if (!isUserName(user)) throw new P2pError('bad-name', 'That is not a user name: 1 to 32 of a-z A-Z 0-9 . _ -, the first a letter or digit.');
}

/** @throws P2pError `bad-name`. */
export function checkPrefix(prefix: string): void {
  if (!PREFIX.test(prefix)) throw new P2pError('bad-name', 'No user name can begin so: names are made of a-z A-Z 0-9 . _ -, at most 32.');
}
