/** What was measured, as tables. */
import type { ChatTimes } from './chat.js';
import type { Load } from './load.js';
import type { LinkShape } from './shaped-network.js';
import type { StartUpTimes } from './start-up.js';
import { median, percentile } from './statistics.js';
import type { Result, Sample, Throughput } from './throughput.js';

const MiB = 1024 * 1024;
const GiB = 1024 * MiB;
const OURS = 'p2p-chat';

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
  /** Who was left out, and why. */
  readonly leftOut: readonly string[];
}

interface Column {
  readonly title: string;
  readonly cell: (result: Result) => string;
}

/** Says once what the columns mean that do not say it themselves. */
export const LEGEND = [
  '"p2p-chat is": how many times as fast p2p-chat is as the program of the row, for the time to its left; above 1 it is faster.',
  '"on disk": until what was received is on the disk as well. "CPU": seconds of all processes of that side. "MiB": the most memory they had.',
];

export function fileTable(title: string, measured: Throughput, load: Load): Table {
  return table(title, measured, [
    ...timeColumns(measured),
    { title: 'MiB/s', cell: ({ samples }) => (load.bytes / MiB / medianOf(samples, ({ seconds }) => seconds)).toFixed(0) },
    ...diskColumns(measured),
    { title: '1 byte', cell: ({ littleSeconds }) => inSeconds(median(littleSeconds)) },
    ...cpuColumns('CPU s/GiB', GiB / load.bytes),
    ...memoryColumns,
  ]);
}

export function folderTable(title: string, measured: Throughput, load: Load): Table {
  return table(title, measured, [
    ...timeColumns(measured),
    { title: 'files/s', cell: ({ samples }) => (load.files / medianOf(samples, ({ seconds }) => seconds)).toFixed(0) },
    ...diskColumns(measured),
    ...cpuColumns('CPU s', 1),
    ...memoryColumns,
  ]);
}

/** @param by what shapes the line. */
export function lineTable(title: string, measured: Throughput, load: Load, { megabitsPerSecond }: LinkShape, by: string): Table {
  const megabits = (samples: readonly Sample[]): number => (load.bytes * 8) / 1e6 / medianOf(samples, ({ seconds }) => seconds);
  const made = table(title, measured, [
    ...timeColumns(measured),
    { title: 'Mbit/s', cell: ({ samples }) => megabits(samples).toFixed(1) },
    { title: 'of the line', cell: ({ samples }) => `${((100 * megabits(samples)) / megabitsPerSecond).toFixed(0)} %` },
    ...cpuColumns('CPU s/GiB', GiB / load.bytes),
    ...memoryColumns,
  ]);
  return { ...made, notes: [...made.notes, `"of the line": file bytes against its rate, headers not counted; at most 95 %. It is shaped by ${by}.`] };
}

export function memoryTable(title: string, measured: Throughput): Table {
  return table(title, measured, [...timeColumns(measured), ...cpuColumns('CPU s', 1), ...memoryColumns]);
}

export function chatTable({ idle, busy }: ChatTimes): Table {
  const row = (what: string, samples: readonly number[], part: number): string[] => [
    `${what}, p${part * 100}`,
    inMilliseconds(percentile(samples, part)),
    `n=${samples.length}`,
    samples === busy && samples.length > 0 ? `${(percentile(busy, part) / percentile(idle, part)).toFixed(1)} x` : '',
  ];
  const rows = [row('idle', idle, 0.5), row('idle', idle, 0.99), row('while the file moves', busy, 0.5), row('while the file moves', busy, 0.99)];
  return { title: 'Chat: a line and its answer, between two clients on loopback.', head: ['', 'round trip', 'samples', 'to idle'], rows, notes: [], leftOut: [] };
}

export function startUpTable({ node, version, question, prompt }: StartUpTimes): Table {
  const row = (what: string, samples: readonly number[]): string[] => [what, inMilliseconds(median(samples)), range(samples, 0), `${(median(samples) / median(node)).toFixed(2)} x`];
  const rows = [row('node -e 0', node), row('p2p-client --version', version), row('to the first question', question), row('to the prompt, logged in', prompt)];
  return { title: `Start-up, medians of ${node.length} interleaved rounds.`, head: ['', 'median', 'range', 'to node'], rows, notes: [], leftOut: [] };
}

function table(title: string, { results, leftOut }: Throughput, columns: readonly Column[]): Table {
  return {
    title,
    head: ['', ...columns.map((column) => column.title)],
    rows: results.map((result) => [result.name, ...columns.map((column) => column.cell(result))]),
    notes: results.flatMap(({ note }) => note ?? []),
    leftOut,
  };
}

function timeColumns(measured: Throughput): Column[] {
  const seconds = (sample: Sample): number => sample.seconds;
  return [
    { title: 'median', cell: ({ samples }) => inSeconds(medianOf(samples, seconds)) },
    { title: 'range', cell: ({ samples }) => range(samples.map(seconds), 2) },
    ratioColumn(measured, seconds),
  ];
}

function diskColumns(measured: Throughput): Column[] {
  const seconds = (sample: Sample): number => sample.durableSeconds;
  return [{ title: 'on disk', cell: ({ samples }) => inSeconds(medianOf(samples, seconds)) }, ratioColumn(measured, seconds)];
}

function ratioColumn({ results }: Throughput, pick: (sample: Sample) => number): Column {
  const ours = results.find(({ name }) => name === OURS);
  return {
    title: 'p2p-chat is',
    cell: (result) => (ours === undefined || result === ours ? '' : `${(medianOf(result.samples, pick) / medianOf(ours.samples, pick)).toFixed(2)} x`),
  };
}

function cpuColumns(title: string, factor: number): Column[] {
  return (['sender', 'receiver'] as const).map((side) => ({
    title: `${title} ${side}`,
    cell: ({ samples }) => (factor * medianOf(samples, (sample) => sample[side].cpuSeconds)).toFixed(2),
  }));
}

const memoryColumns: readonly Column[] = (['sender', 'receiver'] as const).map((side) => ({
  title: `MiB ${side}`,
  cell: ({ samples }) => (medianOf(samples, (sample) => sample[side].peakBytes) / MiB).toFixed(1),
}));

function medianOf(samples: readonly Sample[], pick: (sample: Sample) => number): number {
  return median(samples.map(pick));
}

const range = (numbers: readonly number[], digits: number): string => `${Math.min(...numbers).toFixed(digits)}-${Math.max(...numbers).toFixed(digits)}`;
const inSeconds = (seconds: number): string => `${seconds.toFixed(2)} s`;
const inMilliseconds = (milliseconds: number): string => `${milliseconds.toFixed(2)} ms`;
