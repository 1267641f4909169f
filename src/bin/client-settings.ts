/**
 * All that the client's options may come from, read and merged: flags, environment, configuration file, the last server.
 */
import { join } from 'node:path';
import { CLIENT_PROGRAM } from '../terminal/option-table.js';
import { homeFolder, parseOptions } from '../terminal/options.js';
import type { OptionSurroundings, TerminalOptions } from '../terminal/options.js';
import { environmentSource, flagSource, mergeOptions } from './option-sources.js';
import type { OptionSource } from './option-sources.js';

const CONFIG_FILE = 'config.json';

export interface ClientSettings {
  readonly options: TerminalOptions;
  /** What the person should know before anything else. */
  readonly notices: readonly string[];
}

/** @param flags As the command line has them. @throws P2pError `usage`, naming the option as it was given. */
export async function clientSettings(flags: Readonly<Record<string, unknown>>, surroundings: OptionSurroundings): Promise<ClientSettings> {
  const home = homeFolder(flags, surroundings);
  const { readConfigFile } = await import('./config-file.js');
  const file = await readConfigFile(CLIENT_PROGRAM, join(home, CONFIG_FILE));
  const given = [flagSource(CLIENT_PROGRAM, flags), environmentSource(CLIENT_PROGRAM, surroundings.env), ...(file === undefined ? [] : [file.source])];
  const last = given.some(({ values }) => values['host'] !== undefined) ? undefined : await lastServer(home, flags['new'] === true);
  const { values, names } = mergeOptions(CLIENT_PROGRAM, last === undefined ? given : [...given, last.source]);
  const notices = [...(file?.warnings ?? [])];
  const options = parseOptions(values, surroundings, names);
  if (last !== undefined) {
    const { host, port } = options.engine;
    notices.push(`Taking the last server, ${host} ${port}${options.user === undefined ? '' : `, as ${options.user}`}. p2p-client HOST PORT takes another, --user NAME another account.`);
  }
  return { options, notices };
}

/** @param isNew Whoever makes an account is not the one who was there last. */
async function lastServer(home: string, isNew: boolean): Promise<{ readonly source: OptionSource } | undefined> {
  const { readLastServer } = await import('../terminal/last-server.js');
  const last = await readLastServer(home);
  if (last === undefined) return undefined;
  const values = { host: last.host, port: String(last.port), ...(isNew ? {} : { user: last.user }) };
  return { source: { values, called: (key) => `${key} of the last server` } };
}
