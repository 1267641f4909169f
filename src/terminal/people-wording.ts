/**
 * What a person reads about others: who came and went, who is away, who is blocked. Pure; away texts of others are neutralised here.
 */
import type { BlockedPerson, BlockOutcome, ClientEventOf, ClientList } from '../client/api.js';
import { quoted, visibleLine } from '../protocol/text.js';
import type { Line } from './layout.js';
import { notice, result } from './phrases.js';

/** Away people named below a list. */
const NAMED_AWAY = 20;

/** Nothing for scripts, and nothing that the session with this person tells already. */
export function presenceLines({ user, state, text }: ClientEventOf<'presence'>, { interactive, sessions }: { readonly interactive: boolean; readonly sessions: readonly string[] }): Line[] {
  if (!interactive || (state !== 'away' && sessions.includes(user))) return [];
  return [notice(`${visibleLine(user)} is ${state}${state === 'away' ? reason(text) : ''}.`)];
}

/** Below the list of who is online: those who are away. */
export function awayLines({ away = [] }: ClientList): Line[] {
  if (away.length === 0) return [];
  const named = away.slice(0, NAMED_AWAY).map(({ user, text }) => `${visibleLine(user)}${text === '' ? '' : ` (${quoted(visibleLine(text))})`}`);
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

function reason(text: string | undefined): string {
  return text === undefined || text === '' ? '' : `: ${quoted(visibleLine(text))}`;
}
