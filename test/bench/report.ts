/** What was measured, as rows of the one table. */
import type { ChatTimes } from './chat.js';
import type { StartUpTimes } from './start-up.js';
import { median, percentile } from './statistics.js';
import type { Result } from './throughput.js';

const MiB = 1024 * 1024;

/** "p2p-chat is": how many times as fast p2p-chat is as the program of the row; above 1 it is faster. */
export const REPORT_HEAD = [
  'what',
  'median',
  'range',
  'MiB/s',
  'p2p-chat is',
  'on disk',
  'p2p-chat is',
  '1 byte',
  'CPU send',
  'CPU recv',
  'MiB send',
  'MiB recv',
] as const;

export function reportRows(results: readonly Result[], bytes: number, chat: ChatTimes | undefined, startUp: StartUpTimes | undefined): string[][] {
  return [...results.map((result) => fileRow(result, results[0], bytes)), ...(chat === undefined ? [] : chatRows(chat)), ...(startUp === undefined ? [] : startUpRows(startUp))];
}

function fileRow(result: Result, first: Result | undefined, bytes: number): string[] {
  const { samples } = result;
  const seconds = samples.map((sample) => sample.seconds);
  const durable = median(samples.map((sample) => sample.durableSeconds));
  const ours = first?.name === 'p2p-chat' ? first.samples : undefined;
  const ratio = (theirs: number, pick: (sample: Result['samples'][number]) => number): string =>
    ours === undefined || ours === samples ? '' : `${(theirs / median(ours.map(pick))).toFixed(2)} x`;
  return [
    `file, ${result.name}`,
    inSeconds(median(seconds)),
    `${Math.min(...seconds).toFixed(2)}-${Math.max(...seconds).toFixed(2)}`,
    (bytes / MiB / median(seconds)).toFixed(0),
    ratio(median(seconds), (sample) => sample.seconds),
    inSeconds(durable),
    ratio(durable, (sample) => sample.durableSeconds),
    inSeconds(median(result.smallSeconds)),
    inSeconds(median(samples.map((sample) => sample.sender.cpuSeconds))),
    inSeconds(median(samples.map((sample) => sample.receiver.cpuSeconds))),
    inMiB(median(samples.map((sample) => sample.sender.peakBytes))),
    inMiB(median(samples.map((sample) => sample.receiver.peakBytes))),
  ];
}

function chatRows({ idle, busy }: ChatTimes): string[][] {
  const row = (what: string, samples: readonly number[], part: number, against: readonly number[] | undefined): string[] => [
    `chat round trip, ${what}, p${part * 100}`,
    inMilliseconds(percentile(samples, part)),
    `n=${samples.length}`,
    '',
    against === undefined || samples.length === 0 ? '' : `${(percentile(samples, part) / percentile(against, part)).toFixed(1)} x idle`,
  ];
  return [row('idle', idle, 0.5, undefined), row('idle', idle, 0.99, undefined), row('during a transfer', busy, 0.5, idle), row('during a transfer', busy, 0.99, idle)];
}

function startUpRows({ client, node }: StartUpTimes): string[][] {
  const row = (what: string, samples: readonly number[], ratio: string): string[] => [
    what,
    inMilliseconds(median(samples)),
    `${Math.min(...samples).toFixed(0)}-${Math.max(...samples).toFixed(0)}`,
    '',
    ratio,
  ];
  return [row('p2p-client --version', client, `${(median(client) / median(node)).toFixed(2)} x node`), row('node -e 0', node, '')];
}

const inSeconds = (seconds: number): string => `${seconds.toFixed(2)} s`;
const inMilliseconds = (milliseconds: number): string => `${milliseconds.toFixed(2)} ms`;
const inMiB = (bytes: number): string => (bytes / MiB).toFixed(1);
