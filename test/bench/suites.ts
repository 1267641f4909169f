/**
 * The suites that move files: what each sends, over which line, beside whom. run.ts calls them in turn; how a transfer is
 * timed and checked is throughput.ts's.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { NotHere } from '../helpers/processes.js';
import { sampleFile, sampleFolder, sparseFile } from './load.js';
import type { Load } from './load.js';
import { loopback } from './network.js';
import type { BenchOptions } from './options.js';
import { fileTable, folderTable, lineTable, memoryTable } from './report.js';
import type { Table } from './report.js';
import { ncdc } from './rivals/ncdc.js';
import { netcat } from './rivals/netcat.js';
import { p2pChat } from './rivals/p2p-chat.js';
import type { Rival } from './rivals/rival.js';
import { rsync } from './rivals/rsync.js';
import { scp } from './rivals/scp.js';
import { wormholeWilliam } from './rivals/wormhole-william.js';
import { shapedNetwork } from './shaped-network.js';
import type { LinkShape } from './shaped-network.js';
import { measureThroughput } from './throughput.js';

const KiB = 1024;
const MiB = 1024 * KiB;

const SMALL_FILES = 10_000;
const SMALL_BYTES = 4 * KiB;
const TINY_FILES = 100_000;
const FILES_PER_FOLDER = 100;
const ROUNDS = 5;
/** A round takes minutes. */
const LINE_ROUNDS = 3;

const LINES: readonly { readonly shape: LinkShape; readonly bytes: number }[] = [
  { shape: { megabitsPerSecond: 1000, roundTripMs: 40, lossPercent: 0.1 }, bytes: 256 * MiB },
  { shape: { megabitsPerSecond: 20, roundTripMs: 200, lossPercent: 1 }, bytes: 16 * MiB },
];

export interface Suite {
  readonly options: BenchOptions;
  /** On the disk that is measured. */
  readonly folder: string;
  readonly say: (text: string) => void;
}

export async function fileSuite(suite: Suite, load: Load): Promise<Table[]> {
  const { options, folder } = suite;
  const little = await sampleFile(join(folder, 'one-byte'), 1);
  const rounds = options.rounds ?? ROUNDS;
  const rivals = chosen(options, [p2pChat, netcat, scp, rsync, wormholeWilliam, ncdc]);
  const measured = await measureThroughput({ ...suite, rivals, folder: await emptyFolder(suite, 'file'), network: loopback, load, little, rounds, warmUp: true });
  return [fileTable(`One file of ${load.bytes / MiB} MiB over loopback, page cache to disk, medians of ${rounds} interleaved rounds.`, measured, load)];
}

export async function smallSuite(suite: Suite): Promise<Table[]> {
  const { options, folder, say } = suite;
  const files = scaled(SMALL_FILES, options);
  say(`writing ${files} files`);
  const load = sampleFolder({ path: join(folder, 'small-files'), files, filesPerFolder: FILES_PER_FOLDER, bytesOf: () => SMALL_BYTES });
  const rounds = options.rounds ?? ROUNDS;
  const rivals = chosen(options, [p2pChat, scp, rsync]);
  const measured = await measureThroughput({ ...suite, rivals, folder: await emptyFolder(suite, 'small'), network: loopback, load, rounds, warmUp: true });
  return [folderTable(`A folder of ${files} files of ${SMALL_BYTES / KiB} KiB over loopback, medians of ${rounds} interleaved rounds.`, measured, load)];
}

export async function netemSuite(suite: Suite): Promise<Table[]> {
  const { options, folder, say } = suite;
  const rounds = options.rounds ?? LINE_ROUNDS;
  const tables: Table[] = [];
  for (const { shape, bytes } of LINES) {
    const line = `${shape.megabitsPerSecond} Mbit/s, ${shape.roundTripMs} ms there and back, ${shape.lossPercent} % lost each way`;
    say(line);
    const load = await sampleFile(join(folder, `line-${shape.megabitsPerSecond}`), scaled(bytes, options));
    const title = `One file of ${(load.bytes / MiB).toFixed(1)} MiB over ${line}, medians of ${rounds} interleaved rounds.`;
    try {
      const network = await shapedNetwork(shape, folder);
      try {
        const rivals = chosen(options, [p2pChat, scp]);
        const measured = await measureThroughput({ ...suite, rivals, folder: await emptyFolder(suite, `netem-${shape.megabitsPerSecond}`), network, load, rounds, warmUp: false });
        tables.push(lineTable(title, measured, load, shape, network.by));
      } finally {
        await network.close();
      }
    } catch (error) {
      if (!(error instanceof NotHere)) throw error;
      tables.push(lineTable(title, { results: [], leftOut: [`the line: ${error.message}`] }, load, shape, 'nothing'));
    }
  }
  return tables;
}

export async function memorySuite(suite: Suite): Promise<Table[]> {
  const { options, folder, say } = suite;
  const measure = async (title: string, load: Load): Promise<Table> => {
    const measured = await measureThroughput({ ...suite, rivals: [p2pChat], folder: await emptyFolder(suite, `memory-${load.kind}`), network: loopback, load, rounds: 1, warmUp: false });
    return memoryTable(title, measured);
  };
  const bytes = scaled(options.memoryBytes, options);
  say(`a file of ${bytes / MiB} MiB`);
  const large = await measure(`One file of ${(bytes / MiB).toFixed(0)} MiB of zeros, once: the most memory that each client had.`, await sparseFile(join(folder, 'zeros'), bytes));
  const files = scaled(TINY_FILES, options);
  say(`${files} files`);
  // Every other one is empty.
  const many = sampleFolder({ path: join(folder, 'tiny-files'), files, filesPerFolder: FILES_PER_FOLDER, bytesOf: (file) => file % 2 });
  return [large, await measure(`A folder of ${files} files of 0 or 1 bytes, once: the most memory that each client had.`, many)];
}

function chosen({ only }: BenchOptions, rivals: readonly Rival[]): Rival[] {
  return rivals.filter((rival) => only.length === 0 || only.some((name) => /^[a-z0-9-]+/u.exec(rival.name)?.[0] === name));
}

function scaled(number: number, { scale }: BenchOptions): number {
  return Math.max(1, Math.round(number * scale));
}

/** An empty folder. It stays until the end of the benchmark: see throughput.ts on what removing many files does to the next suite. */
async function emptyFolder({ folder }: Suite, name: string): Promise<string> {
  const place = join(folder, name);
  await mkdir(place);
  return place;
}
