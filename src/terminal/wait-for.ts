/**
 * `WAIT_FOR <event> [user] [time]`: what can be waited for, and how it is written. Pure.
 *
 * Owns the words about it, too. What counts, and since when, is decided in waits.ts.
 */
import { terminalLimits } from '../protocol/limits.js';
import { isUserName } from '../protocol/names.js';
import { visibleLine } from '../protocol/text.js';
import { badArgument, unquote } from './command-arguments.js';
import type { Line } from './layout.js';
import { nearestWord } from './nearest-word.js';
import { notice } from './phrases.js';
import { DURATION_FORM, parseDuration } from './quantities.js';

interface WaitShape {
  /** Whether it must be said whom it is about. */
  readonly needsUser: boolean;
  /** `state`: it may be so already. `count`: each happening counts once. */
  readonly kind: 'state' | 'count';
  /** What is awaited, about `who`, in words that follow "waited for:" and, with "not", the end of a time. */
  readonly words: (who: string | undefined) => string;
}

/** Everything that WAIT_FOR takes, in the order in which it is told. */
export const WAIT_EVENTS = {
  online: { needsUser: true, kind: 'state', words: (who) => `${who ?? ''} online` },
  offline: { needsUser: true, kind: 'state', words: (who) => `${who ?? ''} offline` },
  session: { needsUser: false, kind: 'state', words: (who) => `a session with ${who ?? 'anybody'}` },
  closed: { needsUser: false, kind: 'state', words: (who) => (who === undefined ? 'the end of all sessions' : `the end of the session with ${who}`) },
  offer: { needsUser: false, kind: 'state', words: (who) => `an offer from ${who ?? 'anybody'}` },
  message: { needsUser: false, kind: 'count', words: (who) => `a message from ${who ?? 'anybody'}` },
  file: { needsUser: false, kind: 'count', words: (who) => `a whole file from ${who ?? 'anybody'}` },
} as const satisfies Readonly<Record<string, WaitShape>>;

export type WaitEvent = keyof typeof WAIT_EVENTS;

export const WAIT_EVENT_NAMES = Object.keys(WAIT_EVENTS) as readonly WaitEvent[];

export interface Wait {
  readonly event: WaitEvent;
  /** As written; undefined: anybody. */
  readonly user: string | undefined;
  /** Undefined: without limit. */
  readonly timeoutMs: number | undefined;
}

/**
 * Reads what follows the command word. A single word behind the event that could be both is a time, `WAIT_FOR session 10m`, unless the
 * event needs a name.
 *
 * @throws P2pError `bad-argument`.
 */
export function parseWait(argument: string): Wait {
  const [first = '', ...rest] = argument.split(/\s+/u).map(unquote);
  const event = WAIT_EVENT_NAMES.find((name) => name === first.toLowerCase());
  if (event === undefined) throw unknownEvent(first);
  const { needsUser } = WAIT_EVENTS[event];
  if (rest.length > 2) throw badArgument('WAIT_FOR', `That is too much. For example: WAIT_FOR ${event} bob 10m`);
  const [one, two] = rest;
  if (two !== undefined) return { event, user: person(one ?? ''), timeoutMs: time(two) };
  if (one === undefined) {
    if (needsUser) throw badArgument('WAIT_FOR', `Whom? For example: WAIT_FOR ${event} bob`);
    return { event, user: undefined, timeoutMs: undefined };
  }
  if (!needsUser && looksLikeTime(one)) return { event, user: undefined, timeoutMs: time(one) };
  return { event, user: person(one), timeoutMs: undefined };
}

/** What is waited for, in words. */
export function waitWords({ event, user }: Wait): string {
  return WAIT_EVENTS[event].words(user === undefined ? undefined : visibleLine(user));
}

/** When it has come, about `peer`. */
export function waitedLines({ wait, peer }: { readonly wait: Wait; readonly peer: string | undefined }): Line[] {
  return [notice(`Waited for ${waitWords({ ...wait, user: peer ?? wait.user })}.`)];
}

function unknownEvent(word: string) {
  const near = word === '' ? undefined : nearestWord(word, WAIT_EVENT_NAMES);
  const suggestion = near === undefined ? '' : ` Did you mean ${near}?`;
  return badArgument('WAIT_FOR', `It takes one of ${WAIT_EVENT_NAMES.join(', ')}.${suggestion} For example: WAIT_FOR online bob 10m`);
}

function person(word: string): string {
  if (!isUserName(word)) throw badArgument('WAIT_FOR', `"${visibleLine(word.slice(0, 40))}" is not a user name.`);
  return word;
}

function looksLikeTime(word: string): boolean {
  return /^\d+(?:\.\d+)?(?:ms|[smhd])?$/iu.test(word) || parseDuration(word) !== undefined;
}

function time(word: string): number {
  const ms = parseDuration(word);
  if (ms === undefined || ms > terminalLimits.longestWaitMs) {
    throw badArgument('WAIT_FOR', `"${visibleLine(word.slice(0, 40))}" is no time: it takes ${DURATION_FORM}, at most ${terminalLimits.longestWaitMs / 86_400_000}d. Without a time it waits without limit.`);
  }
  return ms;
}
