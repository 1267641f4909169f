/**
 * Running transfers → one row each for the live area: direction, name, peer, bar, percent, rate, time left. Pure.
 *
 * In a narrow window whole parts go, the least telling first; what is left stands in columns. Which transfers are listed
 * with everything about them is files-wording.ts's.
 */
import type { TransferSnapshot, WaitsFor } from '../client/api.js';
import { visibleLine } from '../protocol/text.js';
import { inAscii } from './charset.js';
import type { Line } from './layout.js';
import { cellsOf, fitted } from './layout.js';
import { toOrFrom } from './phrases.js';
import { bar, formatDuration, formatRate, formatSize, percent } from './quantities.js';
import type { LiveSpace } from './screen.js';

/** What is moving comes first, what only waits last; an offer that nobody has answered is no transfer. */
const ORDER = ['running', 'checking', 'stalled', 'reconnecting', 'paused', 'queued'] as const;

const BAR_CELLS = 20;
const SHORT_BAR_CELLS = 8;
/** A name is cut to this before other parts go, and to less only where it is alone. */
const NAME_CELLS = 16;
const MOST_NAME_CELLS = 40;

/** The parts of a row besides the name, which is always there. */
type Part = 'peer' | 'bar' | 'short-bar' | 'percent' | 'rate' | 'left';

/** From all to almost nothing; the first that fits is taken. */
const CHOICES: readonly (readonly Part[])[] = [
  ['peer', 'bar', 'percent', 'rate', 'left'],
  ['peer', 'short-bar', 'percent', 'rate', 'left'],
  ['short-bar', 'percent', 'rate', 'left'],
  ['percent', 'rate', 'left'],
  ['percent', 'left'],
  ['percent'],
];

const GAP = '  ';

/** One row for each transfer that is not only offered, the most important first. */
export function liveTransferRows(transfers: readonly TransferSnapshot[], { cells, utf8 }: LiveSpace): Line[] {
  const shown = ORDER.flatMap((state) => transfers.filter((one) => one.state === state));
  if (shown.length === 0) return [];
  const rows = shown.map((one) => partsOf(one, utf8));
  const room = cells - 2;
  const widthOf = (part: Part) => Math.max(...rows.map((row) => cellsOf(row.parts[part])));
  const longestName = Math.min(MOST_NAME_CELLS, Math.max(1, ...rows.map((row) => cellsOf(row.name))));
  const besideName = (choice: readonly Part[]) => choice.reduce((sum, part) => sum + (widthOf(part) === 0 ? 0 : widthOf(part) + GAP.length), 0);
  const choice = CHOICES.find((one) => room - besideName(one) >= Math.min(longestName, NAME_CELLS)) ?? ['percent'];
  const nameCells = Math.max(1, Math.min(longestName, room - besideName(choice)));
  return rows.map(({ prefix, name, parts }) => {
    const columns = choice.filter((part) => widthOf(part) > 0).map((part) => column(part, parts[part], widthOf(part)));
    return { kind: 'transfer', prefix, again: '', text: [nameColumn(name, nameCells, utf8), ...columns].join(GAP).trimEnd() };
  });
}

interface Row {
  readonly prefix: string;
  readonly name: string;
  readonly parts: Readonly<Record<Part, string>>;
}

function partsOf(one: TransferSnapshot, utf8: boolean): Row {
  const sign = (text: string) => (utf8 ? text : inAscii(text));
  const moves = one.state === 'running';
  const barOf = (cells: number) => (one.size === null ? '' : utf8 ? fineBar(one.bytes, one.size, cells) : bar(one.bytes, one.size, cells));
  const left = one.left ?? (one.size !== null && one.rate > 0 ? (one.size - one.bytes) / one.rate : undefined);
  return {
    prefix: sign(one.direction === 'incoming' ? '↓ ' : '↑ '),
    name: sign(visibleLine(one.name)),
    parts: {
      peer: sign(toOrFrom(one)),
      bar: barOf(BAR_CELLS),
      'short-bar': barOf(SHORT_BAR_CELLS),
      percent: one.size === null ? formatSize(one.bytes) : `${percent(one.bytes, one.size)} %`,
      rate: moves ? formatRate(one.rate) : stateWord(one),
      left: moves && left !== undefined ? `${formatDuration(left)} left` : '',
    },
  };
}

/** Numbers stand under each other by their ends. */
function column(part: Part, text: string, cells: number): string {
  const filled = ' '.repeat(Math.max(0, cells - cellsOf(text)));
  return part === 'percent' || part === 'rate' || part === 'left' ? filled + text : text + filled;
}

function nameColumn(name: string, cells: number, utf8: boolean): string {
  if (utf8 || cellsOf(name) <= cells) return fitted(name, cells);
  return cells > 3 ? `${name.slice(0, cells - 3)}...` : name.slice(0, cells);
}

/** Why nothing moves. */
function stateWord({ state, waits }: TransferSnapshot): string {
  return waits === undefined ? state : WAITS_WORD[waits];
}

const WAITS_WORD: Readonly<Record<WaitsFor, string>> = {
  'own-disk': 'waits for disk',
  'peer-disk': 'waits for disk',
  network: 'stalled',
  'own-rate-limit': 'rate limit',
  'peer-rate-limit': 'rate limit',
  'paused-by-you': 'paused',
  'paused-by-peer': 'paused there',
  'own-disk-full': 'disk full',
  'peer-disk-full': 'disk full there',
};

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'] as const;

/** `█████▍░░░░`, to an eighth of a cell; never full before all is there. */
function fineBar(part: number, whole: number, cells: number): string {
  const share = whole <= 0 ? 1 : Math.max(0, Math.min(1, part / whole));
  const eighths = Math.floor(share * cells * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
  return full + '░'.repeat(cells - full.length);
}
