/**
 * A typed line → a command, or an error that names the next step. Pure: no paths are expanded and nobody is asked.
 *
 * Owns the table of commands, their short forms and the way arguments are written. What a command does stands in
 * perform.ts, what a person is told about it in help.ts.
 */
import { P2pError } from '../protocol/errors.js';
import { isUserName, safeFileName } from '../protocol/names.js';
import { quoted, visibleLine } from '../protocol/text.js';
import { parseRate, SIZE_FORM } from './quantities.js';

export type Command =
  /** `prefix` is empty for everybody. */
  | { readonly command: 'GET_CLIENT_LIST'; readonly prefix: string }
  | { readonly command: 'GET_CLIENT_INFO' | 'SWITCH_SESSION'; readonly user: string }
  /** `path` as written, `~` included. With `name` the path is `-`: what comes on stdin is sent under that name. */
  | { readonly command: 'SEND_FILE'; readonly path: string; readonly name?: string }
  | { readonly command: 'ACCEPT_FILE' | 'REJECT_FILE' | 'CANCEL_FILE' | 'PAUSE_FILE' | 'RESUME_FILE'; readonly id: number | undefined }
  /** Bytes a second; undefined asks for the current one. */
  | { readonly command: 'LIMIT_RATE'; readonly rate: number | 'off' | undefined }
  | { readonly command: 'ACCEPT_SESSION' | 'REJECT_SESSION'; readonly user: string | undefined }
  | { readonly command: 'LIST_FILES' | 'CLOSE_SESSION' | 'DISCONNECT_CLIENT' | '#HELP' }
  | { readonly command: 'SAY'; readonly text: string };

export type CommandName = Exclude<Command['command'], 'SAY'>;

interface CommandShape {
  readonly short: readonly string[];
  readonly argument: 'none' | 'prefix' | 'user' | 'user?' | 'number?' | 'path' | 'rate?';
}

/** Every command. Short forms are those of chat programs. */
export const COMMANDS: Readonly<Record<CommandName, CommandShape>> = {
  GET_CLIENT_LIST: { short: ['/list', '/who'], argument: 'prefix' },
  GET_CLIENT_INFO: { short: ['/connect'], argument: 'user' },
  SEND_FILE: { short: ['/send'], argument: 'path' },
  ACCEPT_FILE: { short: ['/accept'], argument: 'number?' },
  REJECT_FILE: { short: ['/reject'], argument: 'number?' },
  CANCEL_FILE: { short: ['/cancel'], argument: 'number?' },
  PAUSE_FILE: { short: ['/pause'], argument: 'number?' },
  RESUME_FILE: { short: ['/resume'], argument: 'number?' },
  LIST_FILES: { short: ['/files'], argument: 'none' },
  LIMIT_RATE: { short: ['/limit'], argument: 'rate?' },
  ACCEPT_SESSION: { short: ['/accept-session'], argument: 'user?' },
  REJECT_SESSION: { short: ['/reject-session'], argument: 'user?' },
  SWITCH_SESSION: { short: ['/switch'], argument: 'user' },
  CLOSE_SESSION: { short: ['/close'], argument: 'none' },
  DISCONNECT_CLIENT: { short: ['/quit', '/exit'], argument: 'none' },
  '#HELP': { short: ['/help'], argument: 'none' },
};

const BY_WORD: ReadonlyMap<string, CommandName> = new Map(
  (Object.keys(COMMANDS) as CommandName[]).flatMap((name) => [name, ...COMMANDS[name].short].map((word) => [word.toUpperCase(), name] as const)),
);

const FIRST_WORD = /^(?<word>[#/]?[A-Za-z][A-Za-z_-]*)(?=$|[\s<])/u;
/** What is meant as a command: a slash, or words joined by underscores in upper case. */
const LOOKS_LIKE_COMMAND = /^(?:\/|[A-Z]+(?:_[A-Z]+)+(?=$|[\s<]))/u;

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
  const word = FIRST_WORD.exec(line)?.groups?.['word'];
  const name = word === undefined ? undefined : BY_WORD.get(word.toUpperCase());
  if (word !== undefined && name !== undefined) return withArgument(name, argumentOf(line.slice(word.length)));
  if (LOOKS_LIKE_COMMAND.test(line)) throw unknownCommand(word ?? line.split(/\s/u, 1)[0] ?? line);
  return { command: 'SAY', text: line };
}

function withArgument(name: CommandName, argument: string): Command {
  switch (name) {
    case 'GET_CLIENT_LIST': {
      const prefix = unquote(argument);
      if (!/^[A-Za-z0-9._-]{0,32}$/u.test(prefix)) throw badArgument(name, `"${visibleLine(prefix)}" cannot be the beginning of a user name.`);
      return { command: name, prefix };
    }
    case 'GET_CLIENT_INFO':
    case 'SWITCH_SESSION':
      return { command: name, user: userName(name, argument) };
    case 'ACCEPT_SESSION':
    case 'REJECT_SESSION':
      return { command: name, user: argument === '' ? undefined : userName(name, argument) };
    case 'SEND_FILE':
      return sendFile(argument);
    case 'LIMIT_RATE':
      return { command: name, rate: argument === '' ? undefined : rateLimit(unquote(argument)) };
    case 'ACCEPT_FILE':
    case 'REJECT_FILE':
    case 'CANCEL_FILE':
    case 'PAUSE_FILE':
    case 'RESUME_FILE':
      return { command: name, id: argument === '' ? undefined : transferNumber(name, argument) };
    case 'LIST_FILES':
    case 'CLOSE_SESSION':
    case 'DISCONNECT_CLIENT':
      if (argument !== '') throw badArgument(name, 'It stands alone on its line.');
      return { command: name };
    case '#HELP':
      return { command: name };
  }
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

/** What follows the command word: ` arg`, `<arg>` and ` <arg>` alike. */
function argumentOf(rest: string): string {
  const argument = rest.trim();
  return argument.startsWith('<') && argument.endsWith('>') ? argument.slice(1, -1).trim() : argument;
}

/**
 * The argument without its quotes. It is one argument to the end of the line, so spaces need no quotes. In double quotes
 * `\"` and `\\` are escapes, in single quotes nothing is (what a shell or a file manager inserts: `'it'\''s'`); without
 * quotes a backslash in front of a space, a quote or a bracket goes.
 */
function unquote(argument: string): string {
  if (!/^["']/u.test(argument)) return argument.replace(/\\(?=[\s"'()<>&])/gu, '');
  const pieces = /^(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^"'\\])+$/u;
  // A quote without its partner is part of the name.
  if (!pieces.test(argument)) return argument;
  return argument.replace(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)/gu, (_whole, double?: string, single?: string, escaped?: string) => {
    return double?.replace(/\\(["\\])/gu, '$1') ?? single ?? escaped ?? '';
  });
}

function userName(command: CommandName, argument: string): string {
  const user = unquote(argument);
  if (user === '') throw badArgument(command, `Whom? For example: ${command} bob. GET_CLIENT_LIST shows who is online.`);
  if (!isUserName(user)) throw badArgument(command, `"${visibleLine(user.slice(0, 40))}" is not a user name.`);
  return user;
}

function transferNumber(command: CommandName, argument: string): number {
  const digits = unquote(argument).replace(/^#/u, '');
  if (!/^[1-9]\d{0,14}$/u.test(digits)) throw badArgument(command, `It takes the number of an offer or transfer. For example: ${command} 1`);
  return Number(digits);
}

function badArgument(command: CommandName, message: string): P2pError {
  return new P2pError('bad-argument', `${command}: ${message}`);
}

function unknownCommand(word: string): P2pError {
  const shown = visibleLine(word.slice(0, 40));
  const near = nearestCommand(word);
  const suggestion = near === undefined ? '#HELP lists all commands.' : `Did you mean ${near}?`;
  return new P2pError('unknown-command', `There is no command ${shown}. ${suggestion} To send it as a message, begin the line with a space.`);
}

/** The command or short form with the fewest typing mistakes between it and `word`, if there is a likely one. */
export function nearestCommand(word: string): string | undefined {
  const wanted = word.toUpperCase().slice(0, 40);
  let best: { word: string; distance: number } | undefined;
  for (const [known, name] of BY_WORD) {
    const distance = typingDistance(wanted, known);
    if (best === undefined || distance < best.distance) best = { word: known.startsWith('/') ? known.toLowerCase() : name, distance };
  }
  if (best === undefined || best.distance > Math.max(2, Math.floor(wanted.length / 3))) return undefined;
  return best.word;
}

/** Optimal string alignment: insertions, deletions, replacements, neighbours exchanged. */
function typingDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
