/**
 * `npm run bench`: what p2p-chat takes to send files, to chat and to start, beside the programs that people use for the
 * same. Runs on Linux, touches no file of the system, and leaves nothing behind. A program that is not installed is left
 * out, with a note. What it measures without arguments takes some minutes; netem and memory are measured when named.
 *
 *   npm run bench -- --suite file,small --size 256 --rounds 3 --only p2p-chat,scp
 */
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { measureChat } from './chat.js';
import { sampleFile } from './load.js';
import type { Load } from './load.js';
import { descendantsOf } from './measure.js';
import { HELP, readOptions } from './options.js';
import type { BenchOptions, SuiteName } from './options.js';
import { chatTable, LEGEND, startUpTable } from './report.js';
import type { Table } from './report.js';
import { startPair } from './rivals/p2p-chat.js';
import { measureStartUp } from './start-up.js';
import { fileSuite, memorySuite, netemSuite, smallSuite } from './suites.js';
import { formatTable } from './table.js';

const MiB = 1024 * 1024;

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function environment(folder: string): Promise<string> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  const holds = (point: string): boolean => point === '/' || folder === point || folder.startsWith(`${point}/`);
  const mount = mounts.filter(([, point = '']) => holds(point)).sort((a, b) => (b[1]?.length ?? 0) - (a[1]?.length ?? 0))[0];
  return [
    `Node ${process.version}, Linux ${release()}, ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    `${Math.round(totalmem() / MiB / 1024)} GiB of memory, files on ${mount?.[2] ?? 'an unknown file system'}, TCP with ${await congestionControl()}`,
  ].join(', ');
}

/** It decides much of what a lossy line carries, for every program alike. */
async function congestionControl(): Promise<string> {
  return (await readFile('/proc/sys/net/ipv4/tcp_congestion_control', 'utf8')).trim();
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const folder = await mkdtemp(join(options.dir, 'p2p-bench-'));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => abandon(folder));
  try {
    console.log(`${await environment(folder)}\n${LEGEND.join('\n')}`);
    let failed = false;
    for await (const table of tables(options, folder)) {
      console.log(`\n${table.title}\n`);
      console.log(formatTable(table.head, table.rows));
      for (const note of [...table.notes, ...table.leftOut.map((one) => `Left out: ${one}`)]) console.log(note);
      failed ||= table.leftOut.some((one) => one.startsWith('p2p-chat'));
    }
    return failed ? 1 : 0;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Suite after suite, each as soon as it is there. One that fails leaves a table that says so. */
async function* tables(options: BenchOptions, folder: string): AsyncIterable<Table> {
  const suite = { options, folder, say };
  // The one file is that of two suites.
  let large: Load | undefined;
  const largeFile = async (): Promise<Load> => {
    if (large === undefined) {
      const bytes = Math.max(1, Math.round(options.bytes * options.scale));
      say(`writing ${(bytes / MiB).toFixed(1)} MiB to ${folder}`);
      large = await sampleFile(join(folder, 'large'), bytes);
    }
    return large;
  };
  const work: Readonly<Record<SuiteName, () => Promise<Table[]>>> = {
    file: async () => fileSuite(suite, await largeFile()),
    small: () => smallSuite(suite),
    chat: async () => [await chat(join(folder, 'chat'), (await largeFile()).path)],
    'start-up': async () => [startUpTable(await measureStartUp(join(folder, 'start-up'), options.rounds))],
    netem: () => netemSuite(suite),
    memory: () => memorySuite(suite),
  };
  for (const name of options.suites) {
    say(`suite ${name}`);
    try {
      yield* await work[name]();
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      say(`suite ${name} failed: ${text}`);
      yield { title: `Suite ${name}.`, head: ['no result'], rows: [], notes: [], leftOut: [`p2p-chat: ${text.split('\n')[0] ?? ''}`] };
    }
  }
}

async function chat(folder: string, sourcePath: string): Promise<Table> {
  await mkdir(folder);
  const pair = await startPair(folder);
  try {
    return chatTable(await measureChat(pair, sourcePath, (path) => rm(path)));
  } finally {
    await pair.close();
  }
}

/**
 * Ends everything at once: what was started is in process groups of its own and would live on. Nothing else runs
 * meanwhile, lest the next program is started; what is being killed may still write.
 */
function abandon(folder: string): never {
  for (const pid of descendantsOf(process.pid)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  process.exit(130);
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 2;
}
