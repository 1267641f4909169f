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
import { DURATION_FORM, formatTimeLimit, parseDuration } from './quantities.js';

interface WaitShape {
  /** Whether it must be said whom it is about. */
  readonly needsUser: boolean;
  /** `state`: it may be so already. `count`: each happening counts once. */
  readonly kind: 'state' | 'count';
  /** The sentence when it has come, about `who`. */
  readonly came: (who: string | undefined) => string;
  /** The beginning of the sentence when it has not, which ends with the time. */
  readonly missed: (who: string | undefined) => string;
}

/** Everything that WAIT_FOR takes, in the order in which it is told. */
export const WAIT_EVENTS = {
  online: { needsUser: true, kind: 'state', came: (who) => `${who ?? 'Somebody'} is online`, missed: (who) => `${who ?? 'nobody'} did not come online` },
  offline: { needsUser: true, kind: 'state', came: (who) => `${who ?? 'Somebody'} is offline`, missed: (who) => `${who ?? 'nobody'} did not go offline` },
  session: { needsUser: false, kind: 'state', came: (who) => `A session with ${who ?? 'somebody'} is open`, missed: (who) => `no session with ${who ?? 'anybody'} was opened` },
  closed: { needsUser: false, kind: 'state', came: (who) => (who === undefined ? 'No session is open' : `No session with ${who} is open`), missed: (who) => (who === undefined ? 'not all sessions ended' : `the session with ${who} did not end`) },
  offer: { needsUser: false, kind: 'state', came: (who) => `An offer from ${who ?? 'somebody'} waits for an answer`, missed: (who) => `no offer came from ${who ?? 'anybody'}` },
  message: { needsUser: false, kind: 'count', came: (who) => `A message from ${who ?? 'somebody'} has come`, missed: (who) => `no message came from ${who ?? 'anybody'}` },
  file: { needsUser: false, kind: 'count', came: (who) => `A whole file from ${who ?? 'somebody'} has come`, missed: (who) => `no whole file came from ${who ?? 'anybody'}` },
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

/** When it has not come in its time: `zed did not come online within 1 s.` */
export function missedText({ event, user, timeoutMs = 0 }: Wait): string {
  return `${WAIT_EVENTS[event].missed(user === undefined ? undefined : visibleLine(user))} within ${formatTimeLimit(timeoutMs)}.`;
}

/** When it has come, about `peer`. */
export function waitedLines({ wait, peer }: { readonly wait: Wait; readonly peer: string | undefined }): Line[] {
  // All have ended, also where the last one is known.
  const who = wait.event === 'closed' ? wait.user : (peer ?? wait.user);
  return [notice(`${WAIT_EVENTS[wait.event].came(who === undefined ? undefined : visibleLine(who))}.`)];
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
