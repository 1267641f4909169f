/**
 * What completes the word at the cursor: a command, the argument of one, or a mention of somebody in a message.
 *
 * Owns what is offered where, and the grey hint; both read the table of commands. Who is online and what is in a folder is
 * asked of {@link CompletionSources}; how a path is written stands in path-writing.ts.
 */
import type { TransferSnapshot } from '../../client/api.js';
import { editingLimits } from '../../protocol/limits.js';
import { visibleLine } from '../../protocol/text.js';
import type { CommandName } from '../command-table.js';
import { COMMAND_NAMES, COMMAND_WORDS, COMMANDS } from '../command-table.js';
import { commandAt } from '../commands.js';
import { HELP_TOPICS } from '../help.js';
import { formatCount } from '../quantities.js';
import { WAIT_EVENT_NAMES } from '../wait-for.js';
import { commonBeginning } from './common-beginning.js';
import type { Completion } from './editing-types.js';
import type { PathSurroundings } from './path-completion.js';
import { completePath } from './path-completion.js';
import { closesOnly, readTypedPath } from './path-writing.js';

export interface CompletionSources extends PathSurroundings {
  /** Who might be meant, the likeliest first: those talked to, then everybody online whose name begins with `prefix`. */
  users(prefix: string): Promise<readonly string[]> | readonly string[];
  /** Those talked to who are offline. */
  offline(): readonly string[];
  /** Peers with an open session. */
  sessions(): readonly string[];
  /** Who asks for a session. */
  requests(): readonly string[];
  blocked(): readonly string[];
  transfers(): readonly TransferSnapshot[];
}

/** One thing that may be meant: what is inserted for it, and what the list shows. */
interface Candidate {
  readonly insert: string;
  readonly shown?: string;
}

/** Commands for which their person need not be there. */
const ALSO_OFFLINE: ReadonlySet<CommandName> = new Set<CommandName>(['WHOIS', 'VERIFY', 'ACCEPT_KEY', 'BLOCK']);

const NOTHING: Completion = { from: 0, to: 0, insert: '', candidates: [] };

/** Never throws; a promise only where something must be asked. */
export function complete(line: string, cursor: number, sources: CompletionSources): Promise<Completion> | Completion {
  const head = line.slice(0, cursor);
  const rest = line.slice(cursor);
  if (/^[#/]?[A-Za-z_-]*$/u.test(head)) return /^\S/u.test(rest) ? NOTHING : completeCommand(head);
  const command = line.includes('\n') ? undefined : commandAt(line);
  // With the cursor inside the command's own word there is nothing to complete but that.
  if (command === undefined || head.length <= command.word.length || takesMessage(command.name)) return completeMention(head, rest, sources);
  const from = command.word.length + (/^\s*/u.exec(head.slice(command.word.length))?.[0].length ?? 0);
  return completeArgument(command.name, { head, rest, from }, sources);
}

/** What is expected behind `line`: the form of the argument of a command that stands alone, or of what is still to come of several. */
export function hintFor(line: string): string {
  const command = commandAt(line);
  if (command === undefined) return '';
  const { form } = COMMANDS[command.name];
  const behind = line.slice(command.word.length);
  if (form === '' || behind === '') return form === '' ? '' : ` ${form}`;
  const words = behind.split(/\s+/u).slice(1, -1);
  return /\s$/u.test(behind) ? form.split(' ').slice(words.length).join(' ') : '';
}

/** Its argument is read by people, so names in it are mentions. */
function takesMessage(name: CommandName): boolean {
  return COMMANDS[name].argument === 'text' && name !== 'WAIT_FOR';
}

interface ArgumentPlace {
  readonly head: string;
  readonly rest: string;
  /** Where the argument begins. */
  readonly from: number;
}

function completeArgument(name: CommandName, place: ArgumentPlace, sources: CompletionSources): Promise<Completion> | Completion {
  if (!closesOnly(place.rest)) return NOTHING;
  const kind = COMMANDS[name].argument;
  if (kind === 'path') return completePathArgument(place, sources);
  // Brackets and quotes around a name or a number are read, but nobody who completes needs them.
  const argument = place.head.slice(place.from).replace(/^[<"']\s*/u, '');
  const earlier = argument.split(/\s+/u);
  const typed = earlier.pop() ?? '';
  const here = { from: place.head.length - typed.length, to: place.head.length };
  const fit = (candidates: readonly Candidate[]) => completionOf(candidates, typed, here);
  const named = (names: readonly string[], behind = '') => {
    const words = names.filter((one) => beginsAlike(one, typed));
    return completionOf(words.map((one) => ({ insert: one + behind, shown: one })), typed, here, words);
  };
  if (name === 'WAIT_FOR' && earlier.length === 0) return named(WAIT_EVENT_NAMES, ' ');
  if (name === 'WAIT_FOR' && earlier.length === 1) return whenKnown(sources.users(typed), (names) => named([...names, ...sources.offline()]));
  if (name === 'VERIFY' && earlier.length === 1) return named(['yes', 'no']);
  if (earlier.length > 0) return NOTHING;
  switch (kind) {
    case 'user':
    case 'prefix':
      if (name === 'UNBLOCK') return named(sources.blocked());
      return whenKnown(sources.users(typed), (names) => named(ALSO_OFFLINE.has(name) ? [...names, ...sources.offline()] : names));
    case 'session':
      return named(sources.sessions());
    case 'request':
      return named(sources.requests());
    case 'offer':
    case 'transfer':
      return fit(numbered(name, typed, sources.transfers()));
    case 'rate':
      return named(['off']);
    case 'topic':
      return fit(commandWords(typed, [...COMMAND_NAMES, ...HELP_TOPICS]).map((insert) => ({ insert })));
    case 'text':
    case 'none':
      return NOTHING;
  }
}

/** Offers and transfers by number; a name that is being typed is found as well, and its number taken. */
function numbered(command: CommandName, typed: string, transfers: readonly TransferSnapshot[]): Candidate[] {
  const wanted = typed.toLowerCase();
  return transfers
    .filter((one) => concerns(command, one))
    .filter(({ id, name }) => String(id).startsWith(typed.replace(/^#/u, '')) || name.toLowerCase().startsWith(wanted))
    .map(({ id, name, direction, peer }) => ({ insert: String(id), shown: `${id} "${visibleLine(name)}" ${direction === 'incoming' ? 'from' : 'to'} ${visibleLine(peer)}` }));
}

/** What a command can be meant for, as things stand. */
function concerns(command: CommandName, { direction, state, waits }: TransferSnapshot): boolean {
  const held = state === 'paused' && waits === 'paused-by-you';
  switch (command) {
    case 'ACCEPT_FILE':
    case 'REJECT_FILE':
      return direction === 'incoming' && state === 'offered';
    case 'PAUSE_FILE':
      return state !== 'offered' && !held;
    case 'RESUME_FILE':
      return state === 'paused';
    default:
      return true;
  }
}

function completeCommand(typed: string): Completion {
  const words = commandWords(typed, typed.startsWith('/') ? COMMAND_WORDS.filter((word) => word.startsWith('/')) : COMMAND_NAMES);
  const candidates = words.map((word) => {
    const name = commandAt(word)?.name;
    return { insert: name !== undefined && COMMANDS[name].form !== '' ? `${word} ` : word, shown: word };
  });
  return completionOf(candidates, typed, { from: 0, to: typed.length }, words);
}

/** Those of `words` that begin with what is typed, in capital or small letters as typed. */
function commandWords(typed: string, words: readonly string[]): string[] {
  const small = /[a-z]/u.test(typed) && !/[A-Z]/u.test(typed);
  return words
    .filter((word) => beginsAlike(word, typed))
    // An ordinary word is a command in capital letters only, so in small ones it is not offered.
    .filter((word) => !small || !/^[A-Z]+$/u.test(word))
    .map((word) => (small ? word.toLowerCase() : word));
}

/** `@bo` in a message → `@bob `. */
function completeMention(head: string, rest: string, sources: CompletionSources): Promise<Completion> | Completion {
  const typed = /(?:^|[\s(])@(?<name>[A-Za-z0-9._-]*)$/u.exec(head)?.groups?.['name'];
  if (typed === undefined || /^[A-Za-z0-9._-]/u.test(rest)) return NOTHING;
  const space = rest === '' ? ' ' : '';
  return whenKnown(sources.users(typed), (users) => {
    const names = users.filter((one) => beginsAlike(one, typed));
    return completionOf(names.map((one) => ({ insert: one + space, shown: one })), typed, { from: head.length - typed.length, to: head.length }, names);
  });
}

async function completePathArgument({ head, rest, from }: ArgumentPlace, sources: CompletionSources): Promise<Completion> {
  const typed = readTypedPath(head.slice(from));
  // `- name` is no path.
  if (typed === undefined || /^-\s/u.test(head.slice(from))) return NOTHING;
  const found = await completePath(typed, sources);
  if (found === undefined) return NOTHING;
  const { written, candidates } = found;
  return { from, to: head.length + rest.length, insert: written.insert, after: written.after, candidates: listed(candidates) };
}

/** @param common What several have in common is looked for in these; default what is inserted. */
function completionOf(candidates: readonly Candidate[], typed: string, { from, to }: { readonly from: number; readonly to: number }, common?: readonly string[]): Completion {
  const [first] = candidates;
  if (first === undefined) return NOTHING;
  const insert = candidates.length === 1 ? first.insert : commonBeginning(common ?? candidates.map((one) => one.insert));
  // Names in other letters, or numbers found by a name, have less in common than was typed.
  const longer = candidates.length === 1 || (insert.length >= typed.length && beginsAlike(insert, typed));
  return { from, to, insert: longer ? insert : typed, candidates: listed(candidates.map((one) => one.shown ?? one.insert)) };
}

/** Not more than can be taken in; names come neutralised, user names are ASCII. */
function listed(candidates: readonly string[]): readonly string[] {
  const { completionsListed } = editingLimits;
  if (candidates.length <= completionsListed) return candidates;
  return [...candidates.slice(0, completionsListed), `… and ${formatCount(candidates.length - completionsListed)} more`];
}

function beginsAlike(word: string, typed: string): boolean {
  return word.toLowerCase().startsWith(typed.toLowerCase());
}

function whenKnown(users: Promise<readonly string[]> | readonly string[], use: (names: readonly string[]) => Completion): Promise<Completion> | Completion {
  return users instanceof Promise ? users.then(use) : use(users);
}
