#!/usr/bin/env -S node --max-semi-space-size=2 --single-threaded-gc
/**
 * p2p-client: arguments, signals, exit code. Everything else is in terminal/ and client/, loaded once the arguments are
 * known to be good, so that `--version` and `--help` come at once.
 *
 * The small semi-space makes V8 free the 16 KiB buffers of TLS in passing instead of by marking the whole heap: measured
 * 1.5 instead of 2.1 s of a receiver's CPU per GiB. Waking other threads to help with so little costs more than they do: 2.5
 * instead of 2.9 s of all its threads without them (six pairs). Both can be set on the command line only.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { Command, CommanderError } from 'commander';
import type { RawOptions } from '../terminal/options.js';

const EXIT_USAGE = 2;

/** The version stands in package.json only. */
function readVersion(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return typeof file === 'object' && file !== null && 'version' in file ? String(file.version) : 'unknown';
}

function parseArguments(argv: readonly string[], version: string): RawOptions {
  const program = new Command('p2p-client')
    .description('Chat and send files directly, end-to-end encrypted. Without a terminal, commands are read from stdin.')
    .version(version, '--version', 'print the version')
    .argument('<host>', 'name or address of the server')
    .argument('<port>', 'its port')
    .option('--user <name>', 'log in as this user; without it you are asked')
    .option('--new', 'make a new account')
    .option('--password-file <file>', 'the first line is the password (or set P2P_PASSWORD)')
    .option('--home <dir>', 'pins and received files (default: P2P_HOME or ~/p2p-chat)')
    .option('--accept <policy>', 'offered files: ask, all or none; a script is never asked (default: ask)')
    .option('--accept-from <names>', 'with --accept all: only files from these, alice,bob')
    .option('--max-file <size>', 'with --accept all: only files and folders up to this size, such as 2G')
    .option('--received <dir>', 'folder for received files (default: received in --home); - writes one file to stdout')
    .option('--limit-rate <rate>', 'bytes a second for all sending, and for all receiving, such as 10M')
    .option('--sessions <policy>', 'sessions asked for by others: auto or ask (default: auto)')
    .option('--listen-port <port>', 'where other clients connect, 1024 to 65535 (default: 0, a free one)')
    .option('--pin <fingerprint>', 'the server must have this fingerprint, SHA256:…')
    .option('--json', 'for programs: one JSON object a line, in and out')
    .option('--exec <command>', 'run this command, then leave; may be repeated', (command: string, before?: string[]) => [...(before ?? []), command])
    .option('--stay', 'keep running after the last command, until SIGINT or SIGTERM')
    .helpOption('--help', 'print this text')
    .addHelpText('after', '\nExit codes: 0 fine, 1 a command failed, 2 wrong usage, 3 cannot connect,\n4 not authenticated, 5 the identity of the server changed.')
    .showHelpAfterError('p2p-client --help shows all options.')
    .exitOverride();
  program.parse(argv, { from: 'user' });
  const [host, port] = program.args;
  return { ...program.opts(), host, port };
}

/** Calls `stop` on the first SIGINT, SIGTERM or SIGHUP; a second one ends the program the hard way. */
function onSignal(stop: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const forget = () => {
    for (const signal of signals) process.off(signal, heed);
  };
  const heed = () => {
    forget();
    stop();
  };
  for (const signal of signals) process.on(signal, heed);
  return forget;
}

async function main(): Promise<number> {
  const version = readVersion();
  let raw: RawOptions;
  try {
    raw = parseArguments(process.argv.slice(2), version);
  } catch (error) {
    // commander has already written help, version or what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_USAGE;
    throw error;
  }
  const [{ parseOptions }, { P2pError }] = await Promise.all([import('../terminal/options.js'), import('../protocol/errors.js')]);
  const homeDirectory = homedir();
  const { env, stdin, stdout, stderr } = process;
  try {
    const options = parseOptions(raw, { env, homeDirectory, workingDirectory: process.cwd(), stdinIsTTY: stdin.isTTY, stdoutIsTTY: stdout.isTTY, version });
    const [{ run }, { systemClock }, { createClient }] = await Promise.all([
      import('../terminal/run.js'),
      import('../net/clock.js'),
      import('../client/engine.js'),
    ]);
    return await run(options, createClient, { stdin, stdout, stderr, env, homeDirectory, clock: systemClock, date: () => new Date(), onSignal });
  } catch (error) {
    if (!(error instanceof P2pError) || error.code !== 'usage') throw error;
    stderr.write(`p2p-client: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

const exitCode = await main();
// Whatever was written goes out first; then nothing that is still open may keep the program alive.
process.stdout.write('', () => process.exit(exitCode));
