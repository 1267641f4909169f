/**
 * `--log-chat DIR`: what is said with each person, and which files went, as plain text in a file of theirs. For the person
 * at this machine: 0600, appended to, never read.
 *
 * The chat never waits for the disk: lines queue up to a limit and are written in the background. A disk that is full or gone
 * is said once; what it did not take is missing, and a line in the file says how much. Text of others is neutralised, and
 * every line of a message carries its speaker (HOSTILE 20 to 23).
 */
import { constants } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientEvent } from '../client/api.js';
import { P2pError, systemCode } from '../protocol/errors.js';
import { terminalLimits, timeLimits } from '../protocol/limits.js';
import { canonicalUserName, safeFileName } from '../protocol/names.js';
import { visibleLine, visibleLines } from '../protocol/text.js';
import { formatSize } from './quantities.js';

/** Puts `text`, whole lines, at the end of the file. */
export type AppendToLog = (path: string, text: string) => Promise<void>;

export interface ChatLogOptions {
  /** Absolute. */
  readonly folder: string;
  readonly date: () => Date;
  /** The name that own messages carry; undefined before login. */
  readonly user: () => string | undefined;
  /** Told once when lines cannot be written, and again after it has worked in between. */
  readonly warn: (text: string) => void;
  readonly append?: AppendToLog;
}

interface Queue {
  lines: string[];
  /** Lines that found no room or could not be written. */
  missing: number;
}

/** @throws P2pError `usage` where the folder cannot be made. */
export async function openChatLog(options: ChatLogOptions): Promise<ChatLog> {
  try {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new P2pError('usage', `--log-chat: the folder ${visibleLine(options.folder)} cannot be made (${systemCode(cause) ?? 'unknown error'}).`, { cause });
  }
  return new ChatLog(options);
}

export class ChatLog {
  readonly #options: ChatLogOptions;
  readonly #append: AppendToLog;
  /** By the path of the file. */
  readonly #queues = new Map<string, Queue>();
  #queuedChars = 0;
  #writing: Promise<void> | undefined;
  #failing = false;

  constructor(options: ChatLogOptions) {
    this.#options = options;
    this.#append = options.append ?? appendToFile;
  }

  /** Every event of the engine; never throws and never waits. */
  see(event: ClientEvent): void {
    if (!('peer' in event)) return;
    const texts = logTexts(event, this.#options.user() ?? 'you');
    const name = texts.length === 0 ? undefined : safeFileName(`${canonicalUserName(event.peer)}.log`);
    if (name === undefined) return;
    const stamp = localTime(this.#options.date());
    this.#enqueue(join(this.#options.folder, name), texts.map((text) => `${stamp} ${text}\n`));
  }

  /** Waits until what was seen is written, or the disk has had its time. */
  async close(): Promise<void> {
    if (this.#writing === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, timeLimits.closeMs)));
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
  }

  #enqueue(path: string, lines: readonly string[]): void {
    const queue = this.#queues.get(path) ?? { lines: [], missing: 0 };
    this.#queues.set(path, queue);
    for (const line of lines) {
      if (this.#queuedChars + line.length > terminalLimits.chatLogQueueChars) {
        queue.missing += 1;
        continue;
      }
      queue.lines.push(line);
      this.#queuedChars += line.length;
    }
    this.#writing ??= this.#writeAll();
  }

  /** File after file, until nothing is left that could be written. */
  async #writeAll(): Promise<void> {
    // What is said in one turn of the event loop goes out together.
    await Promise.resolve();
    for (let next = this.#waiting(); next !== undefined; next = this.#waiting()) {
      const [path, queue] = next;
      const { lines, missing } = queue;
      queue.lines = [];
      queue.missing = 0;
      for (const line of lines) this.#queuedChars -= line.length;
      const gap = missing === 0 ? '' : `${localTime(this.#options.date())} -- ${missing} lines are missing here: the disk did not take them.\n`;
      try {
        await this.#append(path, `${gap}${lines.join('')}`);
        this.#failing = false;
        if (queue.lines.length === 0 && queue.missing === 0) this.#queues.delete(path);
      } catch (error) {
        queue.missing += missing + lines.length;
        this.#tell(path, error);
      }
    }
    this.#writing = undefined;
  }

  /** A file with lines; that some are missing is written along with the next ones. */
  #waiting(): [string, Queue] | undefined {
    return [...this.#queues].find(([, { lines }]) => lines.length > 0);
  }

  #tell(path: string, error: unknown): void {
    if (this.#failing) return;
    this.#failing = true;
    const code = systemCode(error);
    const why = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : (code ?? 'unknown error');
    this.#options.warn(`The chat log ${visibleLine(path)} cannot be written (${why}). The chat goes on; what is said meanwhile is missing in the log.`);
  }
}

/** What an event about a peer leaves in the log. */
function logTexts(event: ClientEvent, user: string): string[] {
  switch (event.event) {
    case 'message': {
      const speaker = visibleLine(event.direction === 'in' ? event.peer : user);
      return visibleLines(event.text).map((line) => `<${speaker}> ${line}`);
    }
    case 'message-state':
      return event.state === 'undelivered' ? [`-- message ${event.number} of yours may not have arrived`] : [];
    case 'session-opened':
      return [`-- session opened (${event.direction}, ${event.path}, ${visibleLine(event.address)}, ${visibleLine(event.fingerprint)})`];
    case 'session-lost':
      return [`-- connection lost: ${visibleLine(event.reason)}`];
    case 'session-back':
      return ['-- connection back'];
    case 'session-closed':
      return [`-- session closed: ${visibleLine(event.reason)}`];
    case 'key-changed':
      return event.again ? [] : [`-- THE KEY HAS CHANGED from ${visibleLine(event.known)} to ${visibleLine(event.offered)}`];
    case 'offer':
      return [`-- ${visibleLine(event.direction === 'incoming' ? event.peer : user)} offers ${thing(event)}${event.size === null ? '' : ` (${formatSize(event.size)})`}, number ${event.id}`];
    case 'transfer-done':
      return [`-- ${event.direction === 'incoming' ? 'received' : 'sent'} ${thing(event)} (${formatSize(event.bytes)}), verified${event.path === undefined ? '' : `: ${visibleLine(event.path)}`}`];
    case 'transfer-failed':
      return [`-- ${thing(event)} was not transferred: ${visibleLine(event.message)}`];
    default:
      return [];
  }
}

function thing({ kind, name }: { readonly kind?: 'file' | 'folder'; readonly name: string }): string {
  return `${kind === 'folder' ? 'the folder ' : ''}"${visibleLine(name)}"`;
}

/** `2026-11-22T21:40:11+01:00`: local, and still to be compared with that of others. */
export function localTime(date: Date): string {
  const ahead = -date.getTimezoneOffset();
  const two = (value: number) => String(Math.trunc(Math.abs(value))).padStart(2, '0');
  return `${new Date(date.getTime() + ahead * 60_000).toISOString().slice(0, 19)}${ahead < 0 ? '-' : '+'}${two(ahead / 60)}:${two(ahead % 60)}`;
}

/** Follows no link and waits for no pipe. A line that was cut, by a full disk or a crash, is ended first. */
async function appendToFile(path: string, text: string): Promise<void> {
  const { O_RDWR, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Windows lacks some of them.
  const file = await open(path, O_RDWR | O_APPEND | O_CREAT | ((O_NOFOLLOW as number | undefined) ?? 0) | ((O_NONBLOCK as number | undefined) ?? 0), 0o600);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) throw Object.assign(new Error('no regular file'), { code: 'not a file' });
    const last = Buffer.alloc(1);
    if (stats.size > 0) await file.read(last, 0, 1, stats.size - 1);
    const cut = stats.size > 0 && last.toString('latin1') !== '\n';
    await file.appendFile(`${cut ? '\n' : ''}${text}`);
  } finally {
    await file.close();
  }
}
