/**
 * A typed line → a command, or an error that names the next step. Pure: no paths are expanded and nobody is asked.
 *
 * Owns what each command takes. Names and short forms stand in command-table.ts, the ways to write an argument in
 * command-arguments.ts, what a command does in perform.ts.
 */
import { P2pError } from '../protocol/errors.js';
import { textLimits } from '../protocol/limits.js';
import { safeFileName } from '../protocol/names.js';
import { quoted, visibleLine } from '../protocol/text.js';
import { argumentOf, badArgument, transferNumber, unquote, userName } from './command-arguments.js';
import type { CommandName } from './command-table.js';
import { COMMAND_NAMES, COMMAND_WORDS, commandNamed } from './command-table.js';
import type { HelpTopic } from './help.js';
import { HELP_TOPICS } from './help.js';
import { nearestWord } from './nearest-word.js';
import { parseRate, SIZE_FORM } from './quantities.js';
import { parseWait, type Wait } from './wait-for.js';
import type { VerifyWish } from './trust-wording.js';

export type Command =
  /** `prefix` is empty for everybody. */
  | { readonly command: 'GET_CLIENT_LIST'; readonly prefix: string }
  | { readonly command: 'GET_CLIENT_INFO' | 'BLOCK' | 'UNBLOCK' | 'WHOIS'; readonly user: string }
  | { readonly command: 'VERIFY'; readonly user: string; readonly wish: VerifyWish }
  /** `end`: the last characters of a fingerprint, or all of it. */
  | { readonly command: 'ACCEPT_KEY'; readonly user: string; readonly end: string | undefined }
  /** Without a text: back. */
  | { readonly command: 'AWAY'; readonly text: string | undefined }
  /** A number is surely one; digits in a string may be a name or a number. */
  | { readonly command: 'SWITCH_SESSION'; readonly session: string | number }
  /** `path` as written, `~` included. With `name` the path is `-`: what comes on stdin is sent under that name. */
  | { readonly command: 'SEND_FILE'; readonly path: string; readonly name?: string }
  | { readonly command: 'ACCEPT_FILE' | 'REJECT_FILE' | 'CANCEL_FILE' | 'PAUSE_FILE' | 'RESUME_FILE'; readonly id: number | undefined }
  /** Bytes a second; undefined asks for the current one. */
  | { readonly command: 'LIMIT_RATE'; readonly rate: number | 'off' | undefined }
  | { readonly command: 'ACCEPT_SESSION' | 'REJECT_SESSION'; readonly user: string | undefined }
  | { readonly command: 'LIST_FILES' | 'LIST_BLOCKED' | 'CLOSE_SESSION' | 'DISCONNECT_CLIENT' }
  | { readonly command: 'WAIT_FOR'; readonly wait: Wait }
  /** Without a topic: all commands. */
  | { readonly command: '#HELP'; readonly topic: HelpTopic | undefined }
  /** Both go out as they are, the one to the current peer, the other to everybody with an open session. */
  | { readonly command: 'SAY' | 'SAY_ALL'; readonly text: string };

const FIRST_WORD = /^(?<word>[#/]?[A-Za-z][A-Za-z_-]*)(?=$|[\s<])/u;
const SESSION_NUMBER = /^\/[1-9]\s*$/u;
/** What is meant as a command: a slash, or words joined by underscores in upper case. */
const LOOKS_LIKE_COMMAND = /^(?:\/|[A-Z]+(?:_[A-Z]+)+(?=$|[\s<]))/u;
/** So are the same words run together, in upper case: SENDFILE. */
const RUN_TOGETHER: ReadonlySet<string> = new Set(COMMAND_NAMES.filter((name) => name.includes('_')).map((name) => name.replaceAll('_', '')));

/**
 * Reads one line without its line end.
 *
 * A line that begins with a space is chat without that space, and `//x` is the chat `/x`: so anything can be said.
 *
 * @throws P2pError `unknown-command` for what looks like a command and is none, `bad-argument`.
 */
export function parseCommand(line: string): Command {
  if (line.startsWith(' ')) return { command: 'SAY', text: line.slice(1) };
  if (line.startsWith('//')) return { command: 'SAY', text: line.slice(1) };
  if (SESSION_NUMBER.test(line)) return { command: 'SWITCH_SESSION', session: Number(line.slice(1)) };
  const found = commandAt(line);
  if (found !== undefined) return withArgument(found.name, argumentOf(line.slice(found.word.length)));
  const word = firstWord(line);
  if (LOOKS_LIKE_COMMAND.test(line) || (word !== undefined && RUN_TOGETHER.has(word))) throw unknownCommand(word ?? line.split(/\s/u, 1)[0] ?? line);
  return { command: 'SAY', text: line };
}

/** As {@link parseCommand}, for what came from an editor: with line breaks in it it was pasted, and is a message whatever its first line looks like. */
export function parseTyped(line: string): Command {
  return line.includes('\n') ? { command: 'SAY', text: line } : parseCommand(line);
}

/** The command that `line` begins with, whatever is behind it, and its word as typed. */
export function commandAt(line: string): { readonly word: string; readonly name: CommandName } | undefined {
  const word = firstWord(line);
  const name = word === undefined || isWord(word) ? undefined : commandNamed(word);
  return word === undefined || name === undefined ? undefined : { word, name };
}

function firstWord(line: string): string | undefined {
  return FIRST_WORD.exec(line)?.groups?.['word'];
}

/** A command that is an ordinary word counts in capital letters only: "block the door" and "away for lunch" are meant for the peer. */
function isWord(word: string): boolean {
  return /^[A-Za-z]+$/u.test(word) && word !== word.toUpperCase();
}

function withArgument(name: CommandName, argument: string): Command {
  switch (name) {
    case 'GET_CLIENT_LIST': {
      const prefix = unquote(argument);
      if (!/^[A-Za-z0-9._-]{0,32}$/u.test(prefix)) throw badArgument(name, `"${visibleLine(prefix)}" cannot be the beginning of a user name.`);
      return { command: name, prefix };
    }
    case 'GET_CLIENT_INFO':
    case 'BLOCK':
    case 'UNBLOCK':
    case 'WHOIS':
      return { command: name, user: userName(name, argument) };
    case 'VERIFY':
      return verify(argument);
    case 'ACCEPT_KEY':
      return acceptKey(argument);
    case 'SWITCH_SESSION':
      return { command: name, session: /^#[1-9]$/u.test(argument) ? Number(argument.slice(1)) : userName(name, argument) };
    case 'SAY_ALL':
      if (argument === '') throw badArgument(name, 'What? For example: SAY_ALL I am off, see you tomorrow.');
      return { command: name, text: argument };
    case 'AWAY':
      return { command: name, text: argument === '' ? undefined : awayText(unquote(argument)) };
    case 'ACCEPT_SESSION':
    case 'REJECT_SESSION':
      return { command: name, user: argument === '' ? undefined : userName(name, argument) };
    case 'SEND_FILE':
      return sendFile(argument);
    case 'WAIT_FOR':
      return { command: name, wait: parseWait(argument) };
    case 'LIMIT_RATE':
      return { command: name, rate: argument === '' ? undefined : rateLimit(unquote(argument)) };
    case 'ACCEPT_FILE':
    case 'REJECT_FILE':
    case 'CANCEL_FILE':
    case 'PAUSE_FILE':
    case 'RESUME_FILE':
      return { command: name, id: argument === '' ? undefined : transferNumber(name, argument) };
    case 'LIST_FILES':
    case 'LIST_BLOCKED':
    case 'CLOSE_SESSION':
    case 'DISCONNECT_CLIENT':
      if (argument !== '') throw badArgument(name, 'It stands alone on its line.');
      return { command: name };
    case '#HELP':
      return { command: name, topic: argument === '' ? undefined : helpTopic(unquote(argument)) };
  }
}

function awayText(text: string): string {
  const { awayChars } = textLimits;
  if (text.trim() === '' || text.length > awayChars) throw badArgument('AWAY', `It takes 1 to ${awayChars} characters, or nothing at all.`);
  return text;
}

function verify(argument: string): Command {
  const { user, rest = 'show' } = userAndRest('VERIFY', argument);
  const wish = rest.toLowerCase();
  if (wish !== 'show' && wish !== 'yes' && wish !== 'no') throw badArgument('VERIFY', `It takes a name, then yes or no, or nothing to see the number. For example: VERIFY ${user} yes`);
  return { command: 'VERIFY', user, wish };
}

function acceptKey(argument: string): Command {
  const { user, rest: end } = userAndRest('ACCEPT_KEY', argument);
  if (end !== undefined && !/^(?:SHA256:)?[A-Za-z0-9+/]{1,43}$/u.test(end)) throw badArgument('ACCEPT_KEY', 'After the name come the last characters of the new key, or all of it: SHA256:…');
  return { command: 'ACCEPT_KEY', user, end };
}

function userAndRest(command: CommandName, argument: string): { readonly user: string; readonly rest?: string } {
  const [first = '', ...more] = argument.split(/\s+/u);
  const user = userName(command, first.replace(/^<(?<name>.*)>$/u, '$<name>'));
  return more.length === 0 ? { user } : { user, rest: more.join(' ') };
}

/** `path`, or `- name` for stdin; a file called `-` is `./-`. */
function sendFile(argument: string): Command {
  const pipe = /^-(?:\s+(?<name>[^]*))?$/u.exec(argument);
  if (pipe !== null) {
    const name = unquote(pipe.groups?.['name'] ?? '');
    if (name === '') throw badArgument('SEND_FILE', 'What comes on stdin needs a name. For example: SEND_FILE - backup.tar');
    if (safeFileName(name) === undefined) throw badArgument('SEND_FILE', `${quoted(visibleLine(name.slice(0, 80)))} is not a single file name.`);
    return { command: 'SEND_FILE', path: '-', name };
  }
  const path = unquote(argument);
  if (path === '') throw badArgument('SEND_FILE', 'Which file or folder? For example: SEND_FILE report.pdf');
  if (path.includes('\0')) throw badArgument('SEND_FILE', 'A path cannot hold a zero byte.');
  return { command: 'SEND_FILE', path };
}

function rateLimit(argument: string): number | 'off' {
  if (/^off$/iu.test(argument)) return 'off';
  const rate = parseRate(argument);
  if (rate === undefined) throw badArgument('LIMIT_RATE', `It takes bytes a second, ${SIZE_FORM}, at least 1K; or off.`);
  return rate;
}

/** A command, its short form, either without the mark in front, or another topic. */
function helpTopic(word: string): HelpTopic {
  const topic = HELP_TOPICS.find((one) => one === word.toUpperCase());
  const named = topic ?? commandNamed(word) ?? commandNamed(`/${word}`) ?? commandNamed(`#${word}`);
  if (named !== undefined) return named;
  const near = nearestWord(word, [...COMMAND_WORDS, ...HELP_TOPICS]);
  const suggestion = near === undefined ? '' : ` Did you mean #HELP ${near}?`;
  throw badArgument('#HELP', `There is no command ${visibleLine(word.slice(0, 40))}.${suggestion} #HELP alone lists all commands.`);
}

function unknownCommand(word: string): P2pError {
  const shown = visibleLine(word.slice(0, 40));
  const near = nearestWord(word, COMMAND_WORDS);
  const suggestion = near === undefined ? '#HELP lists all commands.' : `Did you mean ${near}?`;
  return new P2pError('unknown-command', `There is no command ${shown}. ${suggestion} To send it as a message, begin the line with a space.`);
}
