#!/usr/bin/env node
/**
 * p2p-server: arguments, signals, exit code. Everything else is in server/.
 *
 * Exit codes: 0 ended by SIGINT or SIGTERM, 1 cannot start or a bug, 2 usage.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import * as v from 'valibot';
import { P2pError } from '../protocol/errors.js';
import { createLog, type Log } from '../server/log.js';
import { SERVER_PROGRAM } from '../server/option-table.js';
import { parseServerOptions, type ServerOptions } from '../server/options.js';
import { startServer } from '../server/server.js';
import { startUpLines } from '../server/start-up-lines.js';
import { ArgumentsEnd, readArguments } from './command-line.js';
import { environmentSource, flagSource, mergeOptions } from './option-sources.js';
import { isVerb } from './verb-arguments.js';

const EXIT = { fine: 0, failed: 1, usage: 2 } as const;
/** Exit codes of a process that a signal ended: 128 and the signal's number. */
const SIGNAL_EXIT = { SIGINT: 130, SIGTERM: 143 } as const;

const Package = v.object({ version: v.string() });

/** package.json stands three folders above this file, in dist and when installed. */
function programVersion(): string {
  return v.parse(Package, JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))).version;
}

function fail(message: string, code: number): never {
  process.stderr.write(`p2p-server: ${message}\n`);
  process.exit(code);
}

function options(version: string): ServerOptions {
  try {
    const flags = readArguments(SERVER_PROGRAM, process.argv.slice(2), version);
    const { values, names } = mergeOptions(SERVER_PROGRAM, [flagSource(SERVER_PROGRAM, flags), environmentSource(SERVER_PROGRAM, process.env)]);
    const written = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, String(value)]));
    return parseServerOptions(written, homedir(), names);
  } catch (error) {
    if (error instanceof ArgumentsEnd) process.exit(error.failed ? EXIT.usage : EXIT.fine);
    if (error instanceof P2pError) fail(error.message, EXIT.usage);
    throw error;
  }
}

function reportBugs(log: Log): void {
  process.on('uncaughtException', (error) => {
    log.fatal(error, 'a bug in p2p-server: please report it');
    process.exit(EXIT.failed);
  });
}

/** `completion` and `man-page`. */
async function runVerb(argv: readonly string[], version: string): Promise<never> {
  const [verbs, { SERVER_MANUAL }] = await Promise.all([import('./verbs.js'), import('./manuals.js')]);
  const { stdout, stderr, failed } = verbs.runVerb(argv, SERVER_PROGRAM, SERVER_MANUAL, [], version);
  process.stderr.write(stderr);
  // A pipe takes it piece by piece.
  await new Promise<void>((resolve) => process.stdout.write(stdout, () => resolve()));
  process.exit(failed ? EXIT.usage : EXIT.fine);
}

async function main(): Promise<void> {
  const version = programVersion();
  const argv = process.argv.slice(2);
  if (isVerb(argv)) await runVerb(argv, version);
  const { logLevel, ...rest } = options(version);
  const log = createLog({ level: logLevel, form: process.stderr.isTTY ? 'text' : 'json', write: (line) => process.stderr.write(line) });
  reportBugs(log);
  const server = await startServer({ logLevel, ...rest }, { log, agent: `p2p-chat/${version}` }).catch((error: unknown) => {
    if (error instanceof P2pError) fail(error.message, EXIT.failed);
    throw error;
  });
  process.stdout.write(startUpLines(server.address, server.port, server.fingerprint));
  const end = (signal: keyof typeof SIGNAL_EXIT) => {
    // The second one ends at once.
    process.once('SIGINT', () => process.exit(SIGNAL_EXIT.SIGINT)).once('SIGTERM', () => process.exit(SIGNAL_EXIT.SIGTERM));
    log.info({ signal }, 'shutting down');
    void server.close().then(() => process.exit(EXIT.fine));
  };
  const onSignal = (signal: 'SIGINT' | 'SIGTERM') => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    end(signal);
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
}

await main();
