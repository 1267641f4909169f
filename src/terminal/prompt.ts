/**
 * The prompt: whom chat goes to, whether that person is verified, what has not arrived, who else waits. Pure.
 *
 * What tells most stands last, since a narrow window cuts the beginning.
 */
import { visibleLine } from '../protocol/text.js';
import type { Palette } from './colours.js';
import type { PromptParts } from './screen.js';

/** An open session as the prompt shows it. */
export interface PromptSession {
  readonly peer: string;
  /** What `/1` to `/9` and Alt with a digit switch to. */
  readonly number: number | undefined;
  readonly unread: number;
}

export interface PromptState {
  readonly user: string | undefined;
  readonly current: string | undefined;
  /** The current peer's key was verified over another channel. */
  readonly verified: boolean;
  /** Own messages to the current peer that have not arrived. */
  readonly undelivered: number;
  /** Oldest first. */
  readonly sessions: readonly PromptSession[];
}

/** Of more, the others are counted. */
const WAITING_SHOWN = 3;

/** `alice → bob> `, `server> `; with all that can be in front: `[2 carol: 3] alice → bob ✓ (2 not delivered)> `. */
export function promptParts({ user, current, verified, undelivered, sessions }: PromptState, palette: Palette): PromptParts {
  const waiting = waitingText(sessions.filter(({ peer, unread }) => unread > 0 && peer !== current));
  const inFront = waiting === '' ? [] : [{ text: waiting, paint: (text: string) => palette.waiting(text) }, { text: ' ' }];
  const paint = (text: string) => palette.prompt(text);
  if (current === undefined) return [...inFront, { text: 'server> ', paint }];
  return [
    ...inFront,
    { text: `${visibleLine(user ?? 'you')} → `, paint },
    { text: visibleLine(current), paint: (text) => palette.person(current, text) },
    { text: verified ? ' ✓' : '', paint },
    ...(undelivered === 0 ? [] : [{ text: ' ' }, { text: `(${undelivered} not delivered)`, paint: (text: string) => palette.waiting(text) }]),
    { text: '> ', paint },
  ];
}

/** `[2 carol: 3, 3 dave: 1]`. */
function waitingText(waiting: readonly PromptSession[]): string {
  if (waiting.length === 0) return '';
  const shown = waiting.slice(0, WAITING_SHOWN).map(({ peer, number, unread }) => `${number === undefined ? '' : `${number} `}${visibleLine(peer)}: ${unread}`);
  const rest = waiting.length - shown.length;
  return `[${[...shown, ...(rest > 0 ? [`+${rest}`] : [])].join(', ')}]`;
}
