/**
 * What happened → the lines that a person reads. Pure. Here, in transfer-wording.ts and in files-wording.ts, and nowhere else,
 * text of others is neutralised for a terminal.
 *
 * Every line of a message carries its speaker, and what the program says begins with `-- ` or `!! `, which no user name
 * can (HOSTILE 22). Colours are added later (colours.ts), rows are broken later (layout.ts).
 */
import type { ClientEvent, ClientEventOf, ClientList, PeerInfo, TransferSnapshot } from '../client/api.js';
import type { P2pError } from '../protocol/errors.js';
import { visibleLine, visibleLines } from '../protocol/text.js';
import type { Line } from './layout.js';
import { webLinks } from './links.js';
import { fileName, notice, problem, result } from './phrases.js';
import { peopleLines, presenceLines } from './people-wording.js';
import type { OfferContext } from './transfer-wording.js';
import { offerLines, offerUpdateLines, progressLines, transferDoneLines, transferFailedLines, transferNoteLines, transferStateLines } from './transfer-wording.js';
import { keyChangedLines, serverKeyChangedLines } from './trust-wording.js';

/** What the words depend on besides the event. */
export interface WordingContext extends OfferContext {
  /** The user name after login. */
  readonly user: string | undefined;
  /** The peer that chat goes to. */
  readonly current: string | undefined;
  /** Peers with an open session. */
  readonly sessions: readonly string[];
  /** Offers and transfers that have not ended. */
  readonly transfers: readonly TransferSnapshot[];
  /** The own rate limit, bytes a second. */
  readonly rateLimit: number | undefined;
  /** What `/1` to `/9` switch to. */
  readonly numberOf?: (peer: string) => number | undefined;
  /** Whether somebody is there who may be told what to type. */
  readonly interactive: boolean;
}

export function helpLines(help: readonly string[]): Line[] {
  return help.map((text) => ({ kind: 'help', prefix: '', again: '', text }));
}

/** `CLIENT_LIST<alice, bob>`. */
export function clientListLines(list: ClientList): Line[] {
  const lines = [result(`CLIENT_LIST<${list.clients.map(visibleLine).join(', ')}>`)];
  if (list.total > list.clients.length) lines.push(notice(`${list.clients.length} of ${list.total} are shown. GET_CLIENT_LIST <prefix> narrows the list.`));
  return lines;
}

/** `CLIENT_INFO<bob, ADDRESS:PORT>`. */
export function clientInfoLines(info: PeerInfo): Line[] {
  return [result(`CLIENT_INFO<${[info.user, info.addresses[0] ?? 'no address'].map(visibleLine).join(', ')}>`)];
}

/** A command that failed, or an end that was not wished for. */
export function errorLines(error: P2pError): Line[] {
  if (error.code === 'server-key-changed') return serverKeyChangedLines(error.message);
  return [problem(visibleLine(error.message))];
}

/** Error on stderr of a script: greppable, with its stable code. */
export function scriptErrorText(error: P2pError): string {
  return `p2p-client: ${visibleLine(error.message)} [${error.code}]`;
}

export function goesToLine(peer: string): Line {
  return notice(`What you type now goes to ${visibleLine(peer)}.`);
}

/** Before a key ends the program. `transfers` are under way. */
export function leavingLines(key: 'Ctrl-C' | 'Ctrl-D', transfers: number): Line[] {
  const lines = transfers === 0 ? [] : [problem(`${transfers === 1 ? 'A transfer is' : `${transfers} transfers are`} under way and would stop; what is there is kept, and sending the same again continues it.`)];
  const others = key === 'Ctrl-D' ? '' : '; so does Ctrl-D. CLOSE_SESSION ends only the current one';
  return [...lines, notice(`${key} once more leaves and closes all sessions${others}.`)];
}

/** After SAY_ALL. */
export function saidLine(peers: readonly string[]): Line {
  return notice(`${peers.map(visibleLine).join(', ')} ${peers.length === 1 ? 'has' : 'have'} got it.`);
}

/** Messages that had waited for a connection. */
export function deliveredLine(peer: string, count: number): Line {
  return notice(`${visibleLine(peer)} has now got the ${count === 1 ? 'message' : `${count} messages`} that waited.`);
}

/** The lines of an event that is due (progress.ts). */
export function eventLines(event: ClientEvent, context: WordingContext): Line[] {
  switch (event.event) {
    case 'connected':
      return connectedLines(event);
    case 'logged-in':
      return loggedInLines(event, context);
    case 'server-lost':
      return [problem(`The link to the server broke (${inBrackets(event.reason)}). Trying again; open sessions go on.`)];
    case 'server-back':
      return [notice('The link to the server is back.')];
    case 'session-request':
      return sessionRequestLines(event);
    case 'session-opened':
      return sessionOpenedLines(event, context);
    case 'session-lost':
      return [problem(`The connection to ${visibleLine(event.peer)} broke (${inBrackets(event.reason)}). It is being re-made; messages and files wait.`)];
    case 'session-back':
      return sessionBackLines(event, context);
    case 'session-closed':
      return sessionClosedLines(event, context);
    case 'message':
      return messageLines(event, context);
    case 'message-state':
      return [];
    case 'offer':
      return offerLines(event, context);
    case 'offer-update':
      return offerUpdateLines(event, context.transfers.find((one) => one.id === event.id));
    case 'progress':
      return progressLines(event, context.transfers.find((one) => one.id === event.id));
    case 'transfer-state':
      return transferStateLines(event, context.rateLimit);
    case 'transfer-note':
      return transferNoteLines(event);
    case 'transfer-done':
      return transferDoneLines(event);
    case 'transfer-failed':
      return transferFailedLines(event);
    case 'presence':
      return presenceLines(event, context);
    case 'people':
      return peopleLines(event, context);
    case 'key-changed':
      return keyChangedLines(event, context.sessions);
    case 'warning':
      return [problem(visibleLine(event.message))];
    case 'disconnected':
      if (event.code === 'server-key-changed') return serverKeyChangedLines(event.reason);
      return event.code === 'closed' ? [notice('Disconnected. Goodbye.')] : [problem(`Disconnected: ${visibleLine(event.reason)}`)];
  }
}

function connectedLines(event: ClientEventOf<'connected'>): Line[] {
  const fingerprint = visibleLine(event.fingerprint);
  const connected = `Connected to ${visibleLine(event.server)}.`;
  switch (event.trust) {
    case 'new':
      return [
        notice(connected),
        notice(`First contact with this server. Its fingerprint is ${fingerprint}; compare it with what its operator tells you. From now on a change is refused.`),
      ];
    case 'known':
      return [notice(`${connected} Known server${event.since === undefined ? '' : ` since ${visibleLine(event.since)}`}, ${fingerprint}`)];
    case 'system':
      return [notice(`${connected} Its certificate is trusted by this system, ${fingerprint}`)];
  }
}

function loggedInLines(event: ClientEventOf<'logged-in'>, context: WordingContext): Line[] {
  const lines = [
    notice(`${event.new ? 'Your account is made. You are' : 'You are'} ${visibleLine(event.user)}, your fingerprint is ${visibleLine(event.fingerprint)}`),
  ];
  if (context.interactive) {
    lines.push(notice('GET_CLIENT_LIST shows who is online, GET_CLIENT_INFO <user> opens a session, #HELP explains everything.'));
  }
  return lines;
}

function sessionRequestLines(event: ClientEventOf<'session-request'>): Line[] {
  const peer = visibleLine(event.peer);
  return [
    notice(`${peer} asks for a session (fingerprint ${visibleLine(event.fingerprint)}). ACCEPT_SESSION ${peer} or REJECT_SESSION ${peer}.`),
  ];
}

function sessionOpenedLines(event: ClientEventOf<'session-opened'>, context: WordingContext): Line[] {
  const peer = visibleLine(event.peer);
  const path = `${event.path}, ${visibleLine(event.address)}`;
  const opened = event.direction === 'outgoing' ? `The session with ${peer} is open (${path}).` : `${peer} opened a session with you (${path}).`;
  const next = event.current
    ? ` What you type now goes to ${peer}.`
    : ` You still talk to ${visibleLine(context.current ?? 'the server')}; SWITCH_SESSION ${peer}${shortSwitch(context.numberOf?.(event.peer))} changes that.`;
  const lines = [notice(context.interactive ? opened + next : opened)];
  if (event.firstContact) {
    lines.push(notice(`First contact with ${peer}, whose key is ${visibleLine(event.fingerprint)}. VERIFY ${peer} shows what to compare over another channel. A change is refused.`));
  }
  return lines;
}

function shortSwitch(number: number | undefined): string {
  return number === undefined || number > 9 ? '' : ` or /${number}`;
}

function sessionBackLines(event: ClientEventOf<'session-back'>, { transfers }: WordingContext): Line[] {
  const peer = visibleLine(event.peer);
  const lines = [notice(`The connection to ${peer} is back (${event.path}, ${visibleLine(event.address)}).`)];
  if (event.restarted) lines.push(notice(`${peer}'s program was started anew: files that it was sending have ended, and continue when ${peer} sends them again.`));
  const anew = event.restarted ? transfers.filter((one) => one.peer === event.peer && one.direction === 'outgoing') : [];
  if (anew.length > 0) lines.push(notice(`Offered to ${peer} again: ${anew.map(({ name }) => fileName(name)).join(', ')}. Waiting for an answer.`));
  return lines;
}

function sessionClosedLines(event: ClientEventOf<'session-closed'>, context: WordingContext): Line[] {
  const peer = visibleLine(event.peer);
  const lines: Line[] = [];
  switch (event.code) {
    case 'closed-by-you':
      lines.push(notice(`The session with ${peer} is closed.`));
      break;
    case 'closed-by-peer':
      lines.push(notice(`${peer} closed the session.`));
      break;
    case 'link-lost':
      lines.push(problem(`The session with ${peer} is lost: ${visibleLine(event.reason)}`));
      break;
  }
  if (event.undelivered > 0) {
    lines.push(problem(`${event.undelivered} of your messages to ${peer} ${event.undelivered === 1 ? 'was' : 'were'} not confirmed and may be lost.`));
  }
  if (context.interactive) {
    lines.push(notice(whereTextGoes(context)));
  }
  return lines;
}

/** A sentence inside another has no full stop of its own. */
function inBrackets(reason: string): string {
  return visibleLine(reason).replace(/\.$/u, '');
}

function whereTextGoes({ current, sessions }: WordingContext): string {
  if (current !== undefined) return `What you type now goes to ${visibleLine(current)}.`;
  if (sessions.length === 0) return 'What you type now goes to the server.';
  return `What you type now goes to the server; SWITCH_SESSION <user> talks to ${sessions.map(visibleLine).join(', ')}.`;
}

/**
 * A message of a session that is not the current one begins with its number, so that nobody answers the wrong person. The
 * reader's name and web addresses stand out.
 */
function messageLines(event: ClientEventOf<'message'>, context: WordingContext): Line[] {
  // At a terminal one's own line already stands where it was typed.
  if (event.direction === 'out' && context.interactive) return [];
  const speaker = event.direction === 'in' ? event.peer : (context.user ?? 'you');
  const kind = event.direction === 'in' ? 'message' : 'own-message';
  const number = context.interactive && event.peer !== context.current ? context.numberOf?.(event.peer) : undefined;
  const prefix = `${number === undefined ? '' : `[${number}] `}${visibleLine(speaker)}> `;
  return visibleLines(event.text).map((text) => {
    const links = webLinks(text);
    return {
      kind,
      prefix,
      again: prefix,
      text,
      speaker,
      ...(event.direction === 'in' && context.user !== undefined ? { mention: context.user } : {}),
      ...(links.length === 0 ? {} : { links }),
    };
  });
}
