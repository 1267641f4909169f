/**
 * The server's options: from what was typed to one frozen object with every field present. Pure; defaults stand once, here.
 */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { P2pError } from '../protocol/errors.js';
import { LOG_LEVELS, type LogLevel } from './log.js';

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

export const OPTION_DEFAULTS = { port: '9090', host: '::', logLevel: 'info' } as const;
export const DEFAULT_DATA_FOLDER = '.p2p-server';

/** @throws P2pError `usage`, naming the option. */
export function parseServerOptions(raw: RawServerOptions, homeDirectory: string): ServerOptions {
  const host = raw.host ?? OPTION_DEFAULTS.host;
  return Object.freeze({
    port: parsePort(raw.port ?? OPTION_DEFAULTS.port),
    host: host === OPTION_DEFAULTS.host ? undefined : parseHost(host),
    dataDirectory: parseDirectory(raw.data, homeDirectory),
    logLevel: parseLogLevel(raw.logLevel ?? OPTION_DEFAULTS.logLevel),
  });
}

function parsePort(text: string): number {
  const port = /^\d{1,5}$/u.test(text) ? Number(text) : NaN;
  if (!(port <= 65_535)) throw usage('--port', text, 'a number from 0 to 65535; 0 takes a free port');
  return port;
}

function parseHost(text: string): string {
  if (isIP(text) === 0) throw usage('--host', text, 'an IP address of this machine, such as 127.0.0.1 or ::');
  return text;
}

function parseDirectory(text: string | undefined, homeDirectory: string): string {
  if (text === undefined) return join(homeDirectory, DEFAULT_DATA_FOLDER);
  if (text === '' || text.includes('\0')) throw usage('--data', text, 'a directory');
  return resolve(text);
}

function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((one) => one === text);
  if (level === undefined) throw usage('--log-level', text, `one of ${LOG_LEVELS.join(', ')}`);
  return level;
}

function usage(option: string, given: string, wanted: string): P2pError {
  return new P2pError('usage', `${option} is ${JSON.stringify(given)}; it must be ${wanted}.`);
}
