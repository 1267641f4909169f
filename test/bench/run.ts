/**
 * `npm run bench`: what p2p-chat takes to send a file, to chat and to start, beside the programs that people use for
 * the same. Runs on Linux, on loopback, touches no file of the system, and leaves nothing behind.
 *
 *   npm run bench -- --size 256 --rounds 3 --only p2p-chat,nc
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { measureChat } from './chat.js';
import type { ChatTimes } from './chat.js';
import { descendantsOf } from './measure.js';
import { netcat } from './rivals/netcat.js';
import { p2pChat, startPair } from './rivals/p2p-chat.js';
import { rsync } from './rivals/rsync.js';
import { scp } from './rivals/scp.js';
import { wormholeWilliam } from './rivals/wormhole-william.js';
import { reportRows, REPORT_HEAD } from './report.js';
import { writeSampleFile } from './sample-file.js';
import { measureStartUp } from './start-up.js';
import type { StartUpTimes } from './start-up.js';
import { formatTable } from './table.js';
import { measureThroughput } from './throughput.js';

const MiB = 1024 * 1024;
const RIVALS = [p2pChat, netcat, scp, rsync, wormholeWilliam];
const HELP = `Usage: npm run bench -- [options]

  --size MIB      size of the file, MiB (default 1024)
  --rounds N      rounds that count, after one that warms up (default 5)
  --dir FOLDER    where files are written; its disk is what is measured (default ${tmpdir()})
  --only NAMES    only those of p2p-chat, nc, scp, rsync, wormhole-william, separated by commas
  --no-chat       leave out the chat round trips
  --no-start-up   leave out the start-up times
  --help          this text`;

function readOptions() {
  const { values } = parseArgs({
    options: {
      size: { type: 'string', default: '1024' },
      rounds: { type: 'string', default: '5' },
      dir: { type: 'string', default: tmpdir() },
      only: { type: 'string', default: '' },
      'no-chat': { type: 'boolean', default: false },
      'no-start-up': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const positive = (name: 'size' | 'rounds'): number => {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${name} must be a whole number above 0`);
    return number;
  };
  const only = values.only.split(',').filter((name) => name !== '');
  const rivals = RIVALS.filter((rival) => only.length === 0 || only.some((name) => rival.name.split(' ')[0] === name));
  if (rivals.length === 0) throw new Error('--only names none of the programs');
  return { ...values, bytes: positive('size') * MiB, rounds: positive('rounds'), rivals };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function environment(folder: string): Promise<string> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  const holds = (point: string): boolean => point === '/' || folder === point || folder.startsWith(`${point}/`);
  const mount = mounts.filter(([, point = '']) => holds(point)).sort((a, b) => (b[1]?.length ?? 0) - (a[1]?.length ?? 0))[0];
  return [
    `Node ${process.version}, Linux ${release()}, ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`,
    `${Math.round(totalmem() / MiB / 1024)} GiB of memory, files on ${mount?.[2] ?? 'an unknown file system'}`,
  ].join(', ');
}

async function main(): Promise<number> {
  const options = readOptions();
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  const folder = await mkdtemp(join(options.dir, 'p2p-bench-'));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void abandon(remove));
  try {
    say(`writing ${options.bytes / MiB} MiB to ${folder}`);
    const [large, small] = await Promise.all([sampleFile(folder, 'large', options.bytes), sampleFile(folder, 'small', 1)]);
    const throughput = await measureThroughput({ rivals: options.rivals, folder, large, small, rounds: options.rounds, say });

    const leftOut = [...throughput.leftOut];
    let chat: ChatTimes | undefined;
    let startUp: StartUpTimes | undefined;
    try {
      if (!options['no-chat']) {
        say('chatting');
        chat = await chatTimes(join(folder, 'chat'), large.path);
      }
      if (!options['no-start-up']) {
        say('starting');
        startUp = measureStartUp();
      }
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      leftOut.push(`chat or start-up: ${text.split('\n')[0] ?? ''}`);
      say(`chat or start-up failed: ${text}`);
    }

    console.log(await environment(folder));
    console.log(`One file of ${options.bytes / MiB} MiB over loopback, page cache to disk, medians of ${options.rounds} interleaved rounds.\n`);
    console.log(formatTable(REPORT_HEAD, reportRows(throughput.results, options.bytes, chat, startUp)));
    const notes = throughput.results.flatMap(({ note }) => note ?? []);
    console.log(['', ...notes, ...leftOut.map((one) => `Left out: ${one}`)].join('\n'));
    return leftOut.some((one) => one.startsWith('p2p-chat') || one.startsWith('chat')) ? 1 : 0;
  } finally {
    await remove();
  }
}

/** Ends everything at once: what was started is in process groups of its own and would live on. */
async function abandon(remove: () => Promise<void>): Promise<never> {
  for (const pid of descendantsOf(process.pid)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }
  await remove();
  process.exit(130);
}

async function sampleFile(folder: string, name: string, bytes: number) {
  const path = join(folder, name);
  return { path, bytes, sha256: await writeSampleFile(path, bytes) };
}

async function chatTimes(folder: string, sourcePath: string): Promise<ChatTimes> {
  await mkdir(folder);
  const pair = await startPair(folder);
  try {
    return await measureChat(pair, sourcePath, (path) => rm(path));
  } finally {
    await pair.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 2;
}
