/**
 * A command → the engine's method, the same for all three faces. Says nothing to anybody: results go back to the caller.
 */
import { join } from 'node:path';
import type { AcceptedKey, BlockedPerson, BlockOutcome, ClientApi, ClientList, Leftover, OutgoingTransfer, PeerInfo, SafetyNumberInfo, TransferSnapshot, WhoisInfo } from '../client/api.js';
import { P2pError } from '../protocol/errors.js';
import type { Command } from './commands.js';
import { helpText } from './help.js';
import type { Awaited, Waits } from './waits.js';
import type { VerifyWish } from './trust-wording.js';

/** What a command yielded. `left`: the link to the server is closed. */
export type Result =
  | { readonly kind: 'list'; readonly list: ClientList }
  | { readonly kind: 'info'; readonly info: PeerInfo }
  /** Undefined: back. */
  | { readonly kind: 'away'; readonly text: string | undefined }
  | { readonly kind: 'blocked'; readonly outcome: BlockOutcome }
  | { readonly kind: 'unblocked'; readonly user: string }
  | { readonly kind: 'blocked-list'; readonly blocked: readonly BlockedPerson[] }
  | { readonly kind: 'safety-number'; readonly info: SafetyNumberInfo; readonly wish: VerifyWish }
  | { readonly kind: 'accepted-key'; readonly accepted: AcceptedKey }
  | { readonly kind: 'whois'; readonly info: WhoisInfo }
  | { readonly kind: 'transfer'; readonly transfer: OutgoingTransfer }
  | { readonly kind: 'files'; readonly transfers: readonly TransferSnapshot[]; readonly leftovers: readonly Leftover[] }
  /** Undefined: there is none. */
  | { readonly kind: 'rate'; readonly bytesPerSecond: number | undefined }
  | { readonly kind: 'waited'; readonly awaited: Awaited }
  | { readonly kind: 'help'; readonly text: readonly string[] }
  /** Who has got it. */
  | { readonly kind: 'said'; readonly peers: readonly string[] }
  | { readonly kind: 'switched'; readonly peer: string }
  | { readonly kind: 'left' | 'nothing' };

/** What commands depend on besides the engine. */
export interface PerformSurroundings {
  /** What `~` stands for in paths. */
  readonly homeDirectory: string;
  /** Whether stdin holds no commands, so that it can be sent. */
  readonly stdinFree: boolean;
  /** What has happened in this run. */
  readonly waits: Waits;
}

const NOTHING: Result = { kind: 'nothing' };

/**
 * Calls the engine before anything is awaited, so that commands reach it in the order of their lines.
 *
 * @throws P2pError as documented at {@link ClientApi}.
 */
export async function perform(api: ClientApi, command: Command, { homeDirectory, stdinFree, waits }: PerformSurroundings): Promise<Result> {
  switch (command.command) {
    case 'GET_CLIENT_LIST':
      return { kind: 'list', list: await api.listClients(command.prefix === '' ? undefined : command.prefix) };
    case 'GET_CLIENT_INFO':
      return { kind: 'info', info: await api.openSession(command.user) };
    case 'AWAY':
      await api.setAway(command.text);
      return { kind: 'away', text: command.text };
    case 'BLOCK':
      return { kind: 'blocked', outcome: await api.block(command.user) };
    case 'UNBLOCK':
      await api.unblock(command.user);
      return { kind: 'unblocked', user: command.user };
    case 'LIST_BLOCKED':
      return { kind: 'blocked-list', blocked: api.blocked };
    case 'VERIFY': {
      const { user, wish } = command;
      return { kind: 'safety-number', wish, info: wish === 'show' ? await api.safetyNumber(user) : await api.markVerified(user, wish === 'yes') };
    }
    case 'ACCEPT_KEY':
      return { kind: 'accepted-key', accepted: await api.acceptKey(command.user, command.end) };
    case 'WHOIS':
      return { kind: 'whois', info: await api.whois(command.user) };
    case 'SEND_FILE':
      if (command.name === undefined) return { kind: 'transfer', transfer: await api.sendFile(expandHome(command.path, homeDirectory)) };
      if (!stdinFree) throw stdinInUse();
      return { kind: 'transfer', transfer: await api.sendFile(command.path, command.name) };
    case 'ACCEPT_FILE':
      await api.acceptFile(command.id);
      return NOTHING;
    case 'REJECT_FILE':
      await api.rejectFile(command.id);
      return NOTHING;
    case 'CANCEL_FILE':
      await api.cancelFile(command.id);
      return NOTHING;
    case 'PAUSE_FILE':
      await api.pauseFile(command.id);
      return NOTHING;
    case 'RESUME_FILE':
      await api.resumeFile(command.id);
      return NOTHING;
    case 'LIST_FILES':
      return { kind: 'files', transfers: api.transfers, leftovers: await api.leftovers() };
    case 'LIMIT_RATE':
      if (command.rate !== undefined) api.limitRate(command.rate === 'off' ? undefined : command.rate);
      return { kind: 'rate', bytesPerSecond: api.rateLimit };
    case 'ACCEPT_SESSION':
    case 'REJECT_SESSION':
      await api.answerSession(command.command === 'ACCEPT_SESSION', command.user);
      return NOTHING;
    case 'SWITCH_SESSION':
      return { kind: 'switched', peer: api.switchSession(command.session) };
    case 'CLOSE_SESSION':
      await api.closeSession();
      return NOTHING;
    case 'WAIT_FOR':
      return { kind: 'waited', awaited: await waits.until(api, command.wait) };
    case 'DISCONNECT_CLIENT':
      await api.disconnect();
      return { kind: 'left' };
    case '#HELP':
      return { kind: 'help', text: helpText(command.topic) };
    case 'SAY_ALL':
      return { kind: 'said', peers: await sayToAll(api, command.text) };
    case 'SAY':
      await api.say(command.text);
      return NOTHING;
  }
}

/** @returns Who has got it. @throws P2pError `no-session`; of those who did not get it, the first one's reason. */
async function sayToAll(api: ClientApi, text: string): Promise<readonly string[]> {
  const peers = [...api.sessions];
  if (peers.length === 0) throw new P2pError('no-session', 'No session is open. GET_CLIENT_INFO <user> opens one.');
  const saying = peers.map((peer) => api.say(text, peer));
  await Promise.allSettled(saying);
  await Promise.all(saying);
  return peers;
}

function stdinInUse(): P2pError {
  return new P2pError('bad-argument', "SEND_FILE - sends what comes on stdin, but here stdin is for commands. Give the commands as options: --exec 'GET_CLIENT_INFO bob' --exec 'SEND_FILE - name'");
}

/** `~` and `~/x`, as a shell would; `~name` is left alone. */
export function expandHome(path: string, homeDirectory: string): string {
  if (path === '~') return homeDirectory;
  return /^~[/\\]/u.test(path) ? join(homeDirectory, path.slice(2)) : path;
}
