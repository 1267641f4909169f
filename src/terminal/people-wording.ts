/**
 * What a person reads about others: who came and went, who is away, who is blocked. Pure; away texts of others are neutralised here.
 */
import type { BlockedPerson, BlockOutcome, ClientEventOf, ClientList } from '../client/api.js';
import { quoted, visibleLine } from '../protocol/text.js';
import type { Line } from './layout.js';
import { notice, result } from './phrases.js';

/** Away people named below a list. */
const NAMED_AWAY = 20;

interface Surroundings {
  readonly interactive: boolean;
  /** Peers with an open session. */
  readonly sessions: readonly string[];
}

/** Nothing for scripts, and nothing that the session with this person tells already. */
export function presenceLines({ user, state, text, before }: ClientEventOf<'presence'>, { interactive, sessions }: Surroundings): Line[] {
  const name = visibleLine(user);
  const isBack = state === 'online' && before === 'away';
  if (!interactive || (state !== 'away' && !isBack && sessions.includes(user))) return [];
  if (isBack) return [notice(`${name} is back.`)];
  return [notice(`${name} is ${state}${text === undefined || text === '' ? '' : `: ${quoted(visibleLine(text))}`}.`)];
}

/** Who is there of those who were talked to. */
export function peopleLines({ people }: ClientEventOf<'people'>, { interactive }: Surroundings): Line[] {
  if (!interactive) return [];
  const shown = people.map(({ user, state, text }) => `${visibleLine(user)}${state === 'away' ? awayWords(text) : ''}`);
  return [notice(`Online of the people you know: ${shown.join(', ')}.`)];
}

/** Below the list of who is online: those who are away. */
export function awayLines({ away = [] }: ClientList): Line[] {
  if (away.length === 0) return [];
  const named = away.slice(0, NAMED_AWAY).map(({ user, text }) => visibleLine(user) + (text === '' ? '' : ` (${quoted(visibleLine(text))})`));
  const more = away.length > named.length ? ` and ${away.length - named.length} more` : '';
  return [notice(`Away: ${named.join(', ')}${more}.`)];
}

/** What the own AWAY came to; `text` is undefined when the person is back. */
export function awaySetLines(text: string | undefined): Line[] {
  if (text === undefined) return [notice('You are back.')];
  return [notice(`You are away: ${quoted(visibleLine(text))}. Everybody who is online can read it. AWAY alone takes it back.`)];
}

export function blockedLines({ user, known }: BlockOutcome): Line[] {
  const name = visibleLine(user);
  const doubt = known ? '' : ` You have never talked to anybody of that name, and nobody is online under it: check the spelling.`;
  return [notice(`${name} is blocked, and cannot tell. UNBLOCK ${name} takes it back.${doubt}`)];
}

export function unblockedLines(user: string): Line[] {
  return [notice(`${visibleLine(user)} is not blocked any more.`)];
}

/** `BLOCKED_LIST<bob, carol>`. */
export function blockedListLines(blocked: readonly BlockedPerson[]): Line[] {
  return [result(`BLOCKED_LIST<${blocked.map(({ user }) => visibleLine(user)).join(', ')}>`)];
}

function awayWords(text: string | undefined): string {
  return text === undefined || text === '' ? ' (away)' : ` (away: ${quoted(visibleLine(text))})`;
}
