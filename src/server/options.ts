/**
 * The server's options: from what was typed to one frozen object with every field present. Pure; defaults stand in option-table.ts.
 */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { P2pError } from '../protocol/errors.js';
import { flagOf } from '../protocol/option-shape.js';
import { LOG_LEVELS, SERVER_OPTIONS, type LogLevel } from './option-table.js';

export interface ServerOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Address to listen at, or undefined for every address of the machine, IPv6 and IPv4. */
  readonly host: string | undefined;
  /** Absolute. */
  readonly dataDirectory: string;
  readonly logLevel: LogLevel;
}

/** As typed; absent where nothing was. */
export interface RawServerOptions {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
  readonly data?: string | undefined;
  readonly logLevel?: string | undefined;
}

const DEFAULT_DATA_FOLDER = '.p2p-server';

/** What messages call each option, such as the environment variable that it was given by; without: its flag. */
export type ServerOptionNames = Readonly<Partial<Record<keyof typeof SERVER_OPTIONS, string>>>;

/** @throws P2pError `usage`, naming the option. */
export function parseServerOptions(raw: RawServerOptions, homeDirectory: string, names: ServerOptionNames = {}): ServerOptions {
  const host = raw.host ?? SERVER_OPTIONS.host.default;
  const called = (key: keyof typeof SERVER_OPTIONS) => names[key] ?? flagOf(key, SERVER_OPTIONS[key]);
  return Object.freeze({
    port: parsePort(called('port'), raw.port ?? SERVER_OPTIONS.port.default),
    host: host === SERVER_OPTIONS.host.default ? undefined : parseHost(called('host'), host),
    dataDirectory: parseDirectory(called('data'), raw.data, homeDirectory),
    logLevel: parseLogLevel(called('logLevel'), raw.logLevel ?? SERVER_OPTIONS.logLevel.default),
  });
}

function parsePort(option: string, text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) throw usage(option, text, 'a number from 0 to 65535; 0 takes a free port');
  return port;
}

function parseHost(option: string, text: string): string {
  if (isIP(text) === 0) throw usage(option, text, 'an IP address of this machine, such as 127.0.0.1 or ::');
  return text;
}

function parseDirectory(option: string, text: string | undefined, homeDirectory: string): string {
  if (text === undefined) return join(homeDirectory, DEFAULT_DATA_FOLDER);
  if (text === '' || text.includes('\0')) throw usage(option, text, 'a directory');
  return resolve(text);
}

function parseLogLevel(option: string, text: string): LogLevel {
  const level = LOG_LEVELS.find((one) => one === text);
  if (level === undefined) throw usage(option, text, `one of ${LOG_LEVELS.join(', ')}`);
  return level;
}

function usage(option: string, given: string, wanted: string): P2pError {
  return new P2pError('usage', `${option} is ${JSON.stringify(given)}; it must be ${wanted}.`);
}
