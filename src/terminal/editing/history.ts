/**
 * The lines that were typed, in memory and in `<home>/history`: one JSON string a line, oldest first, 0600.
 *
 * Owns the file and what of a line goes there (secrets.ts decides what does not). Several clients may append at once: a line
 * is one write, and who shortens the file replaces it so that lines written meanwhile are carried over. A file that is
 * damaged or cannot be written is told once; typing goes on.
 */
import type { FileHandle } from 'node:fs/promises';
import { chmod, constants, mkdir, open, rename, stat, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorText, P2pError, systemCode } from '../../protocol/errors.js';
import { editingLimits } from '../../protocol/limits.js';
import type { HistoryStore } from './editing-types.js';
import { looksSecret } from './secrets.js';

/** Read at once: most files whole. */
const READ_BYTES = 64 * 1024;

export interface HistoryOptions {
  readonly path: string;
  /** Told at most once, in whole sentences. */
  readonly warn: (text: string) => void;
}

/** What was read, and how much of it could not be. */
interface ReadLines {
  readonly lines: readonly string[];
  readonly damaged: number;
  /** The file is longer than it should be. */
  readonly long: boolean;
}

export class History implements HistoryStore {
  readonly #options: HistoryOptions;
  #entries: string[] = [];
  #warned = false;
  /** Changes of the file run one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(options: HistoryOptions) {
    this.#options = options;
  }

  get entries(): readonly string[] {
    return this.#entries;
  }

  /** Reads the file, and puts what is in it before what has been typed meanwhile. Never rejects. */
  load(): Promise<void> {
    return this.#inTurn(async () => {
      const { lines, damaged, long } = await readHistory(this.#options.path);
      this.#entries = shortened([...lines, ...this.#entries]);
      if (damaged > 0) this.#warn(`${damaged === 1 ? 'A line' : `${damaged} lines`} of ${this.#options.path} could not be read; the rest of your history is there.`);
      if (long) await shortenFile(this.#options.path);
    });
  }

  /** Keeps `line`, unless it repeats the one before; in the file only what looks like no secret. */
  add(line: string): void {
    if (line === this.#entries.at(-1)) return;
    this.#entries = shortened([...this.#entries, line]);
    if (looksSecret(line) || Buffer.byteLength(line) > editingLimits.historyLineBytes) return;
    void this.#inTurn(() => append(this.#options.path, line));
  }

  /** Resolves when all that was added is in the file. */
  settled(): Promise<void> {
    return this.#last;
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    this.#last = this.#last.then(change).catch((error: unknown) => {
      if (systemCode(error) === undefined) throw error;
      this.#warn(`Your history cannot be kept in ${this.#options.path}: ${errorText(error)}. It lasts as long as this program runs.`);
    });
    return this.#last;
  }

  #warn(text: string): void {
    if (this.#warned) return;
    this.#warned = true;
    this.#options.warn(text);
  }
}

/** Without repeats in a row, the newest last, at most as many as are kept. */
function shortened(lines: readonly string[]): string[] {
  return lines.filter((line, index) => line !== lines[index - 1]).slice(-editingLimits.historyLines);
}

async function append(path: string, line: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  // Whoever shortened the file while this line was written may have missed it, so it is written once more, into the new one.
  for (let attempts = 0; attempts < 3; attempts += 1) {
    const file = await open(path, 'a+', 0o600);
    try {
      const { ino, size } = await file.stat();
      await file.appendFile(`${(await endsWithin(file, size)) ? '\n' : ''}${JSON.stringify(line)}\n`);
      if ((await stat(path)).ino === ino) return;
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    } finally {
      await file.close();
    }
  }
}

/** Whether the last line has no end, as a program leaves it that was killed while it wrote. */
async function endsWithin(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] !== 0x0a;
}

async function readHistory(path: string): Promise<ReadLines> {
  let file: FileHandle;
  try {
    // Something that is no file, such as a pipe, must not keep the program waiting.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { lines: [], damaged: 0, long: false };
    throw error;
  }
  try {
    const kind = await file.stat();
    if (!kind.isFile()) throw new P2pError('not-a-file', 'it is no file');
    if ((kind.mode & 0o077) !== 0) await chmod(path, 0o600);
    const { written, cut } = await readEnd(file);
    const lines = linesOf(written);
    return { ...lines, long: cut || lines.lines.length > editingLimits.historyFileLines };
  } finally {
    await file.close();
  }
}

/** The whole file, or of a longer one than there should be the end, from the beginning of a line on. `end`: bytes of the file. */
async function readEnd(file: FileHandle): Promise<{ readonly written: Buffer; readonly cut: boolean; readonly end: number }> {
  const { size } = await file.stat();
  const from = Math.max(0, size - editingLimits.historyFileBytes);
  const read = await readFrom(file, from);
  const written = from > 0 ? read.subarray(read.indexOf(0x0a) + 1) : read;
  return { written, cut: from > 0, end: from + read.length };
}

async function readFrom(file: FileHandle, from: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let at = from; ; ) {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(READ_BYTES), 0, READ_BYTES, at);
    if (bytesRead === 0) return Buffer.concat(pieces);
    pieces.push(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

function linesOf(written: Buffer): { readonly lines: readonly string[]; readonly damaged: number } {
  const all = written.toString('utf8').split('\n').filter((line) => line !== '');
  const lines = all.map(parsed).filter((line) => line !== undefined);
  return { lines, damaged: all.length - lines.length };
}

function parsed(written: string): string | undefined {
  try {
    const line: unknown = JSON.parse(written);
    return typeof line === 'string' && line.isWellFormed() ? line : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Replaces the file by one with the newest lines. The new file, made only where there is none, keeps others from doing the
 * same; lines that were appended to the old one until it was replaced are appended to the new one.
 */
async function shortenFile(path: string): Promise<void> {
  const next = `${path}.new`;
  const made = await openNew(next);
  if (made === undefined) return;
  let old: FileHandle | undefined;
  try {
    old = await open(path, 'r');
    const { written, end } = await readEnd(old);
    await made.appendFile(shortened(linesOf(written).lines).map((line) => `${JSON.stringify(line)}\n`).join(''));
    await made.sync();
    await rename(next, path);
    for (const line of linesOf(await readFrom(old, end)).lines) await append(path, line);
  } catch (error) {
    await unlink(next).catch(() => undefined);
    throw error;
  } finally {
    await old?.close();
    await made.close();
  }
}

/** Undefined where another client is at it. What one left behind that was killed is taken away, for the next time. */
async function openNew(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > editingLimits.historyStaleMs) await unlink(path);
    return undefined;
  }
}
