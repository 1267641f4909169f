/**
 * What happens to offers and transfers → the lines that a person reads. Pure; when a line is due is decided in progress.ts.
 *
 * Names, notes and messages in these events may come from the other side, and are neutralised here (HOSTILE 23).
 */
import type { ClientEventOf, TransferSnapshot } from '../client/api.js';
import { visibleLine } from '../protocol/text.js';
import type { Line } from './layout.js';
import { fileLink } from './links.js';
import { fileName, notice, problem, toOrFrom } from './phrases.js';
import { bar, formatCount, formatDuration, formatRate, formatSize, percent } from './quantities.js';

const BAR_CELLS = 20;

/** What the words for an offer depend on besides the event. */
export interface OfferContext {
  /** `--accept`. */
  readonly accept: 'ask' | 'all' | 'none';
  /** The offer that Ctrl-Y and Ctrl-N answer; undefined where there are no such keys. */
  readonly keysAnswer: number | undefined;
}

export function offerLines(event: ClientEventOf<'offer'>, context: OfferContext): Line[] {
  const what = `${thing(event)} (${extent(event)})`;
  if (event.direction === 'outgoing') return [notice(`Offered ${what} to ${visibleLine(event.peer)} as number ${event.id}. Waiting for an answer.`)];
  const said = [`${visibleLine(event.peer)} offers ${what}, number ${event.id}.`, ...outlook(event), decision(event, context)];
  return [notice(said.join(' '))];
}

/** An offer that is still open: counted to its end, or compared with what is there. */
export function offerUpdateLines(event: ClientEventOf<'offer-update'>, snapshot: TransferSnapshot | undefined): Line[] {
  const same = event.same === undefined || event.same === 0 ? '' : ` ${formatCount(event.same)} of them are there already.`;
  const what = snapshot?.kind === 'file' ? fileName(event.name) : `the folder ${fileName(event.name)}`;
  return [notice(`Number ${event.id}, ${what} ${toOrFrom(event)}: ${extent({ ...event, kind: snapshot?.kind ?? 'folder' })}.${same}`)];
}

/** @param limit The own rate limit, bytes a second. */
export function transferStateLines(event: ClientEventOf<'transfer-state'>, limit: number | undefined): Line[] {
  const peer = visibleLine(event.peer);
  const it = `${fileName(event.name)} ${toOrFrom(event)}`;
  switch (event.state) {
    case 'offered':
      return [];
    case 'queued':
      return [notice(`${it} waits for its turn.`)];
    case 'checking':
      return [notice(`${it}: what is there already is being checked.`)];
    case 'running':
      return [notice(`${it} goes on.`)];
    case 'reconnecting':
      return [notice(`${it} waits until the connection to ${peer} is back.`)];
    case 'stalled':
    case 'paused':
      break;
  }
  if (event.waits === undefined) return [notice(`${it} ${event.state === 'paused' ? 'is paused' : 'waits'}.`)];
  switch (event.waits) {
    case 'network':
      return [notice(`${it} waits for the network.`)];
    case 'own-disk':
      return [notice(`${it} waits for your disk.`)];
    case 'peer-disk':
      return [notice(`${it} waits for the disk of ${peer}.`)];
    case 'own-rate-limit':
      return [notice(`${it} waits for the rate limit, yours${limit === undefined ? '' : ` of ${formatRate(limit)}`}. LIMIT_RATE changes it.`)];
    case 'peer-rate-limit':
      return [notice(`${it} waits for the rate limit of ${peer}.`)];
    case 'paused-by-you':
      return [notice(`${it} is paused. RESUME_FILE ${event.id} goes on.`)];
    case 'paused-by-peer':
      return [notice(`${it} is paused by ${peer}.`)];
    case 'own-disk-full':
      return [problem(`Your disk is full. ${it} is paused, and goes on by itself when there is room.`)];
    case 'peer-disk-full':
      return [problem(`The disk of ${peer} is full. ${it} is paused, and goes on by itself when there is room.`)];
  }
}

/** `-- "photos" to bob: skipped "lib/x": a symbolic link`, `-- "photos" from bob: "lib/x" cannot be stored here`. */
export function transferNoteLines(event: ClientEventOf<'transfer-note'>): Line[] {
  const it = `${fileName(event.name)} ${toOrFrom(event)}`;
  const note = visibleLine(event.note);
  if (event.path === '') return [notice(`${it}: ${note}`)];
  return [notice(event.direction === 'outgoing' ? `${it}: skipped ${fileName(event.path)}: ${note}` : `${it}: ${fileName(event.path)} ${note}`)];
}

export function transferDoneLines(event: ClientEventOf<'transfer-done'>): Line[] {
  const stored = event.path === undefined ? '' : visibleLine(event.path);
  if (event.files > 0 && event.same >= event.files && event.refused === 0) {
    const lines = [notice(`${allThere(event)}, nothing was ${event.direction === 'incoming' ? 'received' : 'sent'}.`)];
    return event.path === undefined ? lines : [...lines, withLink(notice(`It is ${stored}`), stored, event.path)];
  }
  const moved = Math.max(0, event.bytes - event.resumed);
  const parts = [
    `${event.kind === 'folder' ? `${files(event.files)}, ` : ''}${formatSize(event.bytes)} in ${formatDuration(event.seconds)}`,
    ...(event.seconds > 0 && moved > 0 ? [formatRate(moved / event.seconds)] : []),
    ...(event.same > 0 ? [`${formatCount(event.same)} ${event.same === 1 ? 'was' : 'were'} there already`] : []),
    ...(event.resumed > 0 ? [`${formatSize(event.resumed)} of it ${event.kind === 'folder' ? 'did not need to be sent again' : 'were there already'}`] : []),
  ];
  const lines = [notice(`${event.direction === 'incoming' ? 'Received' : 'Sent'} ${thing(event)} ${toOrFrom(event)}: ${parts.join(', ')}. Verified.`)];
  if (event.refused > 0) lines.push(problem(`${formatCount(event.refused)} of ${fileName(event.name)} ${event.refused === 1 ? 'was' : 'were'} left out.`));
  if (event.path !== undefined) lines.push(withLink(notice(`Stored as ${stored}`), stored, event.path));
  if (event.blake3 !== undefined) lines.push(notice(`BLAKE3 ${visibleLine(event.blake3)}`));
  return lines;
}

/** In a terminal that can, the path leads to the file. */
function withLink(line: Line, shown: string, path: string): Line {
  return { ...line, links: fileLink(shown, path) };
}

export function transferFailedLines(event: ClientEventOf<'transfer-failed'>): Line[] {
  const it = `${fileName(event.name)} ${toOrFrom(event)}`;
  // What the person wanted is no problem of theirs; and the reason that the program gives for a person says no more than this.
  if (event.by === 'you') return [notice(`You ${event.code === 'rejected' ? 'refused' : 'cancelled'} ${it}.`)];
  if (event.code === 'cancelled' && event.by === 'peer') return [problem(`${it} was not transferred: ${visibleLine(event.peer)} cancelled it.`)];
  if (event.code === 'rejected' && event.direction === 'outgoing') {
    return [problem(`${it} was not transferred: ${visibleLine(event.peer)} refused it.`)];
  }
  return [problem(`${it} was not transferred: ${visibleLine(event.message)}`)];
}

/** One line about a running transfer: `[####----] 40 % "a.bin" from bob: 4.00 MB of 10.0 MB, 1.00 MB/s, 6.0 s left`. */
export function progressLines(event: ClientEventOf<'progress'>, transfer: TransferSnapshot | undefined): Line[] {
  const what = transfer === undefined ? `transfer ${event.id}` : `${fileName(transfer.name)} ${toOrFrom(transfer)}`;
  const rate = formatRate(event.rate);
  if (event.total === null) return [notice(`${what}: ${formatSize(event.bytes)} so far, ${rate}`)];
  const counted = event.files === undefined || transfer?.kind !== 'folder' ? '' : `${formatCount(Math.min(event.files, transfer.files))} of ${files(transfer.files)}, `;
  const left = event.rate > 0 ? `, ${formatDuration((event.total - event.bytes) / event.rate)} left` : '';
  const share = `${bar(event.bytes, event.total, BAR_CELLS)} ${percent(event.bytes, event.total)} %`;
  return [notice(`${share} ${what}: ${counted}${formatSize(event.bytes)} of ${formatSize(event.total)}, ${rate}${left}`)];
}

/** What the script or the program said last has been done, and what is still under way. Undefined: nothing to be said. */
export function waitingAtEndText(transfer: TransferSnapshot): string | undefined {
  const it = `${fileName(transfer.name)} ${toOrFrom(transfer)}`;
  if (transfer.state !== 'paused') return undefined;
  if (transfer.waits === 'paused-by-you') return `${it} was paused here, and nobody is left to resume it: it goes on.`;
  if (transfer.waits === 'paused-by-peer') return `Waiting for ${it}, which ${visibleLine(transfer.peer)} has paused.`;
  if (transfer.waits === 'own-disk-full') return `Waiting for ${it}, until there is room on your disk.`;
  return `Waiting for ${it}, until there is room on the disk of ${visibleLine(transfer.peer)}.`;
}

function thing({ kind, name }: { readonly kind: 'file' | 'folder'; readonly name: string }): string {
  return kind === 'folder' ? `the folder ${fileName(name)}` : fileName(name);
}

function files(count: number): string {
  return count === 1 ? '1 file' : `${formatCount(count)} files`;
}

/** `1,234 files, 3.40 GB`, `4.20 GB`, `size not known`. */
function extent(of: { readonly kind: 'file' | 'folder'; readonly size: number | null; readonly files: number; readonly counted: boolean }): string {
  const size = of.size === null ? 'size not known' : formatSize(of.size);
  if (of.kind === 'file') return size;
  return `${files(of.files)}, ${size}${of.counted ? '' : ' and counting'}`;
}

/** What is there of an offered thing, and whether there is room for the rest. */
function outlook(event: ClientEventOf<'offer'>): string[] {
  const said: string[] = [];
  if (event.same !== undefined && event.same > 0) {
    said.push(event.kind === 'folder' ? `${formatCount(event.same)} of them are there already.` : 'It seems to be there already.');
  }
  const partial = event.partial ?? 0;
  if (partial > 0) said.push(`${formatSize(partial)} of it are there from an earlier try.`);
  // How many bytes those files hold that are there already is not known: of a folder with any, nothing is said.
  const there = (event.same ?? 0) > 0;
  if (!there && event.free !== undefined && event.size !== null && event.size - partial > event.free) {
    said.push(`Only ${formatSize(event.free)} are free here: it would pause until there is room.`);
  }
  return said;
}

function decision(event: ClientEventOf<'offer'>, { accept, keysAnswer }: OfferContext): string {
  switch (event.decision) {
    case 'accepted':
      return 'It is accepted.';
    case 'refused':
      // Why not, under a policy that takes some, is said by the event that ends it.
      return accept === 'none' ? 'It is refused, as --accept none says.' : 'It is refused.';
    case 'ask':
    case undefined:
      break;
  }
  const commands = `ACCEPT_FILE ${event.id} or REJECT_FILE ${event.id}`;
  if (keysAnswer === undefined) return `${commands}.`;
  if (keysAnswer !== event.id) return `${commands}; Ctrl-Y and Ctrl-N answer number ${keysAnswer} first.`;
  return `Ctrl-Y accepts, Ctrl-N refuses; or ${commands}.`;
}

function allThere(event: ClientEventOf<'transfer-done'>): string {
  if (event.kind === 'file') return `${fileName(event.name)} ${toOrFrom(event)} is already there`;
  return `${event.files === 1 ? 'The only file' : `All ${files(event.files)}`} of the folder ${fileName(event.name)} ${toOrFrom(event)} ${event.files === 1 ? 'is' : 'are'} already there`;
}
