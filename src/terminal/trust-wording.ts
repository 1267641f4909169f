/**
 * What is said about keys: safety numbers, keys that changed, who somebody is. Pure; all text of others is neutralised here.
 *
 * A changed key takes several lines with a frame, since it must not be overlooked; everything else is a notice. What may be done
 * about keys is decided by the engine.
 */
import type { AcceptedKey, ClientEventOf, SafetyNumberInfo, SessionInfo, WhoisInfo } from '../client/api.js';
import { clientLimits } from '../protocol/limits.js';
import { visibleLine } from '../protocol/text.js';
import { cellsOf, type Line } from './layout.js';
import { notice, problem } from './phrases.js';
import { formatDuration, formatSize } from './quantities.js';

/** ASCII, so that it looks the same in every terminal. */
const FRAME = '='.repeat(60);

/** A key that is not the pinned one: whole the first time, one line when the same is told again. `sessions`: peers with an open one. */
export function keyChangedLines(event: ClientEventOf<'key-changed'>, sessions: readonly string[]): Line[] {
  const peer = visibleLine(event.peer);
  const offered = visibleLine(event.offered);
  const command = event.verified ? `ACCEPT_KEY ${peer} <last ${clientLimits.keyEndChars} characters of the new key>` : `ACCEPT_KEY ${peer}`;
  if (event.again) return [problem(`${peer} ${event.direction === 'incoming' ? 'asks again with' : 'still has'} a key that you have not accepted: ${offered}. Blocked. VERIFY ${peer}, ${command}.`)];
  const known = `known${event.since === undefined ? '' : ` since ${visibleLine(event.since)}`}${event.verified ? ', and verified by you' : ''}`;
  const refused = event.direction === 'incoming' ? `Somebody with the new key asks for a session; it was refused.` : 'No session was opened.';
  const effect = sessions.includes(event.peer) ? `Your open session with ${peer} is under the old key, and goes on.` : 'Nothing is sent or received until you decide.';
  return [
    problem(FRAME),
    problem(`THE KEY OF ${peer} HAS CHANGED. ${refused} ${effect}`),
    problem(`Old key: ${visibleLine(event.known)} (${known})`),
    problem(`New key: ${offered}`),
    problem(`Either ${peer} has made a new account, or the server or somebody in between pretends to be ${peer}.`),
    problem(`Ask ${peer} on another channel: a call, or face to face. VERIFY ${peer} shows what to compare.`),
    problem(`If the new key is right: ${command}. Otherwise do nothing: it stays blocked.`),
    problem(FRAME),
  ];
}

/** The server's key is not the pinned one: the sentences of the error, each on its own line. */
export function serverKeyChangedLines(message: string): Line[] {
  const sentences = message.split(/(?<=[.!]) (?=[A-Z])| (?=New key: |Either )/u);
  return [problem(FRAME), ...sentences.map((one) => problem(visibleLine(one))), problem(FRAME)];
}

/** What the person wished for with VERIFY: to see it, or to say how the comparison went. */
export type VerifyWish = 'show' | 'yes' | 'no';

export function safetyNumberLines(info: SafetyNumberInfo, wish: VerifyWish): Line[] {
  const user = visibleLine(info.user);
  if (wish === 'yes') return [notice(`${user} is verified. Should this key ever change, everything with ${user} is blocked until you decide.`)];
  if (wish === 'no') {
    return [
      notice(`${user} is not verified.`),
      notice(`If the numbers differ, somebody sits between you: send nothing that matters, CLOSE_SESSION, and tell ${user} on another channel. BLOCK ${user} refuses what comes.`),
    ];
  }
  const names = info.parts.map((part) => visibleLine(part.user));
  const cells = Math.max(...names.map(cellsOf));
  const rows = info.parts.flatMap(({ digits, words }, at) => {
    const name = names[at] ?? '';
    return [
      notice(`  ${name}${' '.repeat(cells - cellsOf(name))}  ${visibleLine(digits.join(' '))}`),
      notice(`  ${' '.repeat(cells)}  ${visibleLine(words.join(' '))}`),
    ];
  });
  const heading = info.key === 'offered' ? `Safety number with the NEW key of ${user}, which you have not accepted:` : `Safety number of ${names.join(' and ')}:`;
  if (info.key === 'offered') rows.push(notice(`  new key: ${visibleLine(info.fingerprint)}`));
  const next =
    info.key === 'offered'
      ? `The same on both sides: the new key is right, and ACCEPT_KEY takes it. Different: do nothing, it stays blocked.`
      : info.verified
        ? `You verified ${user}${info.verifiedOn === undefined ? '' : ` on ${visibleLine(info.verifiedOn)}`}. VERIFY ${user} no takes that back.`
        : `The same on both sides: VERIFY ${user} yes. Different: VERIFY ${user} no, and send nothing that matters.`;
  return [notice(heading), ...rows, notice(`${user} types VERIFY too. Compare the digits or the words on another channel: a call, or face to face, not in this chat.`), notice(next)];
}

export function acceptedKeyLines({ user, fingerprint, previous, wasVerified }: AcceptedKey): Line[] {
  const name = visibleLine(user);
  const lines = [notice(`The key of ${name} is now ${visibleLine(fingerprint)}.`)];
  if (previous !== undefined) lines.push(notice(`Before it was ${visibleLine(previous)}, which stays in known_peers as a comment.`));
  lines.push(notice(`${name} is not verified${wasVerified ? ' any more' : ''}: VERIFY ${name}. GET_CLIENT_INFO ${name} opens a session.`));
  return lines;
}

/** Aligned like a table: what it is, then how it is. `now`: milliseconds since 1970. */
export function whoisLines(info: WhoisInfo, now: number): Line[] {
  const rows: [what: string, how: string][] = [];
  if (info.online !== undefined) rows.push(['here', info.online ? `online${info.away === undefined ? '' : `, away: ${info.away}`}` : 'not online']);
  if (info.fingerprint !== undefined) rows.push(['key', info.fingerprint]);
  rows.push(['trust', trustOf(info)]);
  for (const key of info.offered ?? []) rows.push(['new key', `${key}, blocked until ACCEPT_KEY ${info.user}`]);
  if (info.session !== undefined) rows.push(...sessionRows(info.session, now));
  else if (!info.self) rows.push(['session', 'none']);
  const cells = Math.max(...rows.map(([what]) => what.length));
  return [notice(`${visibleLine(info.user)}:`), ...rows.map(([what, how]) => notice(`  ${what.padEnd(cells)}  ${visibleLine(how)}`))];
}

function trustOf({ self, verified, verifiedOn, since, fingerprint, user }: WhoisInfo): string {
  if (self) return 'this is you; others compare this key with what their program shows';
  if (fingerprint === undefined) return 'never met: the key is learned at the first session';
  const known = since === undefined ? 'known' : `known since ${since}`;
  return verified ? `${known}, verified${verifiedOn === undefined ? '' : ` on ${verifiedOn}`}` : `${known}, not verified (VERIFY ${user})`;
}

function sessionRows(session: SessionInfo, now: number): [what: string, how: string][] {
  const { state, direction, path, addresses, since, roundTripMs, bytesSent, bytesReceived } = session;
  const opened = Date.parse(since);
  const [current = 'unknown', ...others] = addresses;
  return [
    ['session', `${state === 'open' ? 'open' : 'connection lost, being re-made'}, begun ${direction === 'outgoing' ? 'by you' : 'by the other side'} at ${localTime(opened)}, ${formatDuration(Math.max(0, now - opened) / 1000)} ago`],
    ['path', `${path}, ${current}`],
    ...(others.length === 0 ? [] : [['also at', others.join(', ')] as [string, string]]),
    ['round trip', roundTripMs === undefined ? 'no answer just now' : `${roundTripMs < 9.95 ? roundTripMs.toFixed(1) : roundTripMs.toFixed(0)} ms`],
    ['bytes', `${formatSize(bytesSent)} sent, ${formatSize(bytesReceived)} received`],
  ];
}

/** `2026-11-22 20:15`, in the time zone of this machine. */
function localTime(ms: number): string {
  const pad = (value: number) => String(value).padStart(2, '0');
  const at = new Date(ms);
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${pad(at.getHours())}:${pad(at.getMinutes())}`;
}
