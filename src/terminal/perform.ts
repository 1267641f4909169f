/**
 * A command → the engine's method, the same for all three faces. Says nothing to anybody: results go back to the caller.
 */
import { join } from 'node:path';
import type { ClientApi, ClientList, OutgoingTransfer, PeerInfo } from '../client/api.js';
import type { Command } from './commands.js';

/** What a command yielded. `left`: the link to the server is closed. */
export type Result =
  | { readonly kind: 'list'; readonly list: ClientList }
  | { readonly kind: 'info'; readonly info: PeerInfo }
  | { readonly kind: 'transfer'; readonly transfer: OutgoingTransfer }
  | { readonly kind: 'help' | 'left' | 'nothing' };

const NOTHING: Result = { kind: 'nothing' };

/**
 * Calls the engine before anything is awaited, so that commands reach it in the order of their lines.
 *
 * @param homeDirectory What `~` stands for in paths.
 * @throws P2pError as documented at {@link ClientApi}.
 */
export async function perform(api: ClientApi, command: Command, homeDirectory: string): Promise<Result> {
  switch (command.command) {
    case 'GET_CLIENT_LIST':
      return { kind: 'list', list: await api.listClients(command.prefix === '' ? undefined : command.prefix) };
    case 'GET_CLIENT_INFO':
      return { kind: 'info', info: await api.openSession(command.user) };
    case 'SEND_FILE':
      return { kind: 'transfer', transfer: await api.sendFile(expandHome(command.path, homeDirectory)) };
    case 'ACCEPT_FILE':
      await api.acceptFile(command.id);
      return NOTHING;
    case 'REJECT_FILE':
      await api.rejectFile(command.id);
      return NOTHING;
    case 'CANCEL_FILE':
      await api.cancelFile(command.id);
      return NOTHING;
    case 'ACCEPT_SESSION':
    case 'REJECT_SESSION':
      await api.answerSession(command.command === 'ACCEPT_SESSION', command.user);
      return NOTHING;
    case 'SWITCH_SESSION':
      api.switchSession(command.user);
      return NOTHING;
    case 'CLOSE_SESSION':
      await api.closeSession();
      return NOTHING;
    case 'DISCONNECT_CLIENT':
      await api.disconnect();
      return { kind: 'left' };
    case '#HELP':
      return { kind: 'help' };
    case 'SAY':
      await api.say(command.text);
      return NOTHING;
  }
}

/** `~` and `~/x`, as a shell would; `~name` is left alone. */
export function expandHome(path: string, homeDirectory: string): string {
  if (path === '~') return homeDirectory;
  return /^~[/\\]/u.test(path) ? join(homeDirectory, path.slice(2)) : path;
}
