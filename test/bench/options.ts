/** The command line of the benchmark. */
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';

const MiB = 1024 * 1024;

export const SUITES = ['file', 'small', 'chat', 'start-up', 'netem', 'memory'] as const;
export type SuiteName = (typeof SUITES)[number];

/** What runs when nothing is named: what needs neither root nor a quarter of an hour. */
const USUAL: readonly SuiteName[] = ['file', 'small', 'chat', 'start-up'];

export interface BenchOptions {
  readonly help: boolean;
  readonly suites: ReadonlySet<SuiteName>;
  /** Rounds that count; undefined: as many as is usual for the suite. */
  readonly rounds: number | undefined;
  /** Multiplies every size and count. */
  readonly scale: number;
  /** Of the one file, before {@link scale}. */
  readonly bytes: number;
  /** Of the file of the memory suite, before {@link scale}. */
  readonly memoryBytes: number;
  readonly dir: string;
  /** The programs that are measured; empty: all. */
  readonly only: readonly string[];
}

export const HELP = `Usage: npm run bench -- [options]

  --suite NAMES      what is measured, separated by commas, or all (default ${USUAL.join(',')})
                     file      one file over loopback, beside nc, scp, rsync, wormhole-william and ncdc
                     small     10,000 files of 4 KiB as a folder, beside scp -r and rsync -a
                     chat      round trips of a line, idle and while the file moves
                     start-up  p2p-client --version, beside node
                     netem     two slow and lossy lines between network namespaces, beside scp; needs root
                     memory    4 GiB of zeros, and 100,000 tiny files: what both clients have in memory at most
  --size MIB         size of the one file, MiB (default 1024)
  --memory-size MIB  size of the file of the memory suite, MiB (default 4096)
  --scale PART       every size and count times this, for a quick look: 0.01
  --rounds N         rounds that count, after one that warms up (default 5; netem 3; memory always 1 and none)
  --dir FOLDER       where files are written; its disk is what is measured (default ${tmpdir()})
  --only NAMES       only those of p2p-chat, nc, scp, rsync, wormhole-william, ncdc, separated by commas
  --help             this text`;

/** @throws Error that names what is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      suite: { type: 'string', default: USUAL.join(',') },
      size: { type: 'string', default: '1024' },
      'memory-size': { type: 'string', default: '4096' },
      scale: { type: 'string', default: '1' },
      rounds: { type: 'string' },
      dir: { type: 'string', default: tmpdir() },
      only: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  const whole = (name: string, text: string): number => {
    const number = Number(text);
    if (!Number.isSafeInteger(number) || number < 1) throw new Error(`--${name} must be a whole number above 0`);
    return number;
  };
  const scale = Number(values.scale);
  if (!(scale > 0 && scale <= 1000)) throw new Error('--scale must be a number above 0');
  const named = namesIn(values.suite);
  const suites = new Set(SUITES.filter((suite) => named.includes(suite) || named.includes('all')));
  const unknown = named.find((name) => name !== 'all' && !SUITES.some((suite) => suite === name));
  if (unknown !== undefined || suites.size === 0) throw new Error(`--suite must name some of ${SUITES.join(', ')}, or all`);
  return {
    help: values.help,
    suites,
    rounds: values.rounds === undefined ? undefined : whole('rounds', values.rounds),
    scale,
    bytes: whole('size', values.size) * MiB,
    memoryBytes: whole('memory-size', values['memory-size']) * MiB,
    dir: values.dir,
    only: namesIn(values.only),
  };
}

function namesIn(text: string): string[] {
  return text.split(',').filter((name) => name !== '');
}
