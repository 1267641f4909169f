#!/usr/bin/env -S node --max-semi-space-size=2 --single-threaded-gc --v8-pool-size=1 --no-flush-bytecode --optimize-for-size
/**
 * p2p-client: arguments, signals, exit code. Everything else is in terminal/ and client/, loaded once the arguments are
 * known to be good, so that `--version` and `--help` come at once.
 *
 * The small semi-space makes V8 free the 16 KiB buffers of TLS in passing instead of by marking the whole heap: measured
 * 1.5 instead of 2.1 s of a receiver's CPU per GiB. Waking other threads to help with so little costs more than they do, and so
 * does compiling in several at once: 2.5 instead of 2.9 s of all its threads, and 2.3 with one that compiles (six and four pairs).
 * Code that is thrown away while a client idles is compiled again in its next transfer: 2.3 instead of 2.7 s. With a heap made for size
 * a folder of 100,000 files takes 155 MB at most instead of 174, at the same speed. All of these can be set on the command line only.
 */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isVerb } from './verb-arguments.js';

const EXIT_USAGE = 2;

/** The version stands in package.json only. */
function readVersion(): string {
  const file: unknown = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return typeof file === 'object' && file !== null && 'version' in file ? String(file.version) : 'unknown';
}

/** The flags, or the exit code where there is nothing more to do. */
async function readFlags(argv: readonly string[], version: string): Promise<Record<string, unknown> | number> {
  const [{ readArguments, ArgumentsEnd }, { CLIENT_PROGRAM }] = await Promise.all([import('./command-line.js'), import('../terminal/option-table.js')]);
  try {
    return readArguments(CLIENT_PROGRAM, argv, version);
  } catch (error) {
    if (error instanceof ArgumentsEnd) return error.failed ? EXIT_USAGE : 0;
    throw error;
  }
}

/** `completion` and `man-page`. */
async function runVerb(argv: readonly string[], version: string): Promise<number> {
  const [verbs, { CLIENT_PROGRAM }, { CLIENT_MANUAL }, { COMMAND_NAMES }] = await Promise.all([
    import('./verbs.js'),
    import('../terminal/option-table.js'),
    import('./manuals.js'),
    import('../terminal/command-table.js'),
  ]);
  const { stdout, stderr, failed } = verbs.runVerb(argv, CLIENT_PROGRAM, CLIENT_MANUAL, COMMAND_NAMES, version);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return failed ? EXIT_USAGE : 0;
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
  const argv = process.argv.slice(2);
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(`${version}\n`);
    return 0;
  }
  if (isVerb(argv)) return await runVerb(argv, version);
  const flags = await readFlags(argv, version);
  if (typeof flags === 'number') return flags;
  const [{ clientSettings }, { P2pError }] = await Promise.all([import('./client-settings.js'), import('../protocol/errors.js')]);
  const homeDirectory = homedir();
  const { env, stdin, stdout, stderr } = process;
  try {
    const { options, notices } = await clientSettings(flags, { env, homeDirectory, workingDirectory: process.cwd(), stdinIsTTY: stdin.isTTY, stdoutIsTTY: stdout.isTTY, version });
    const [{ run }, { systemClock }, { createClient }] = await Promise.all([
      import('../terminal/run.js'),
      import('../net/clock.js'),
      import('../client/engine.js'),
    ]);
    return await run(options, createClient, { stdin, stdout, stderr, env, homeDirectory, clock: systemClock, date: () => new Date(), onSignal, notices });
  } catch (error) {
    if (!(error instanceof P2pError) || error.code !== 'usage') throw error;
    stderr.write(`p2p-client: ${error.message}\n`);
    return EXIT_USAGE;
  }
}

const exitCode = await main();
// Whatever was written goes out first; then nothing that is still open may keep the program alive.
process.stdout.write('', () => process.exit(exitCode));
