/**
 * How arguments of commands are written and read: brackets, quotes, names, numbers. Pure.
 *
 * Which command takes what stands in commands.ts; completion writes paths so that they are read back here.
 */
import { P2pError } from '../protocol/errors.js';
import { isUserName } from '../protocol/names.js';
import { visibleLine } from '../protocol/text.js';
import type { CommandName } from './command-table.js';

/** What follows the command word: ` arg`, `<arg>` and ` <arg>` alike. */
export function argumentOf(rest: string): string {
  const argument = rest.trim();
  return argument.startsWith('<') && argument.endsWith('>') ? argument.slice(1, -1).trim() : argument;
}

/**
 * The argument without its quotes. It is one argument to the end of the line, so spaces need no quotes. In double quotes
 * `\"` and `\\` are escapes, in single quotes nothing is (what a shell or a file manager inserts: `'it'\''s'`); without
 * quotes a backslash in front of a space, a quote or a bracket goes.
 */
export function unquote(argument: string): string {
  if (!/^["']/u.test(argument)) return argument.replace(/\\(?=[\s"'()<>&])/gu, '');
  const pieces = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^"'\\])+$/u;
  // A quote without its partner is part of the name.
  if (!pieces.test(argument)) return argument;
  return argument.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gu, (_whole, double?: string, single?: string, escaped?: string) => {
    return double?.replace(/\\(["\\])/gu, '$1') ?? single ?? escaped ?? '';
  });
}

/** @throws P2pError `bad-argument`. */
export function userName(command: CommandName, argument: string): string {
  const user = unquote(argument);
  if (user === '') throw badArgument(command, `Whom? For example: ${command} bob. GET_CLIENT_LIST shows who is online.`);
  if (!isUserName(user)) throw badArgument(command, `"${visibleLine(user.slice(0, 40))}" is not a user name.`);
  return user;
}

/** @throws P2pError `bad-argument`. */
export function transferNumber(command: CommandName, argument: string): number {
  const digits = unquote(argument).replace(/^#/u, '');
  if (!/^[1-9]\d{0,14}$/u.test(digits)) throw badArgument(command, `It takes the number of an offer or transfer. For example: ${command} 1`);
  return Number(digits);
}

export function badArgument(command: CommandName, message: string): P2pError {
  return new P2pError('bad-argument', `${command}: ${message}`);
}
