/**
 * One file while it is sent: what the receiver has of it is proven by hash, the rest is read in place into data frames and
 * hashed on the way (PROTOCOL.md 7.5.2).
 *
 * Owns an open file. Everything is synchronous and happens in pieces, so that the caller decides when others have their
 * turn. What an error means for the transfer is source-reader.ts.
 */
import type { Stats } from 'node:fs';
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { DATA_PREFIX_BYTES, writeDataPrefix } from '../../protocol/frames.js';
import { frameLimits, transferLimits } from '../../protocol/limits.js';
import type { Have } from '../../protocol/peer-messages.js';
import type { SourceFs } from './source-fs.js';

/** The file is not, or no longer, what it was when it was listed. */
export class SourceChanged extends Error {}

/** A file as it was found when it was listed. */
export interface KnownFile {
  readonly path: string;
  /** Whether `path` itself may be a symbolic link: only where a person named it. */
  readonly follow: boolean;
  readonly size: number;
  /** Where known, it must be the same when the file is opened. */
  readonly mtimeMs: number | undefined;
}

/** Work that one call may still do on files that are not sent: bytes hashed. */
export interface Budget {
  bytes: number;
}

/** A shorter piece of a file is not put behind others into one block: it costs the receiver a write of its own. */
const LEAST_PIECE = 16 * 1024;

/** Where more follows, reads end at a multiple of this: so do pages of the system and the pieces that BLAKE3 takes at once. */
const ALIGNED = 4096;

/** The beginnings of a file whose hashes are remembered end at multiples of this: so do the receiver's writes. */
const REMEMBER_STEP = transferLimits.writeBytes;
/** How many of them: twice the window of a transfer. */
const REMEMBERED = (2 * transferLimits.windowBytes) / REMEMBER_STEP;

/** What is known of a file that was sent or begun on an earlier link. For one reading only, which goes on with its hasher. */
export interface Remembered {
  readonly path: string;
  readonly found: Stats;
  /** Over the first `hashed` bytes. */
  readonly hasher: Blake3Hasher;
  readonly hashed: number;
  readonly digests: ReadonlyMap<number, string>;
}

type Points = Have['points'];

export class FileReading {
  readonly #fs: SourceFs;
  readonly #fd: number;
  readonly #path: string;
  readonly #found: Stats;
  /** What the receiver says it has, shortest first. */
  readonly #points: Points;
  #hasher = new Blake3Hasher();
  /** Bytes that have gone through the hasher. */
  #hashed = 0;
  /** Offset of the next byte to send; undefined while it is being found. */
  #at: number | undefined;
  /** Index of the next point to look at, and the longest that was right. */
  #next = 0;
  #right = 0;
  /** A point was wrong, and hashing begins anew up to the one before. */
  #again = false;
  /** Hash of the first n bytes, for the last ones. */
  #digests = new Map<number, string>();

  private constructor(fs: SourceFs, fd: number, path: string, found: Stats, points: Points) {
    this.#fs = fs;
    this.#fd = fd;
    this.#path = path;
    this.#found = found;
    this.#points = points.filter(({ bytes }) => bytes > 0 && bytes <= found.size).sort((a, b) => a.bytes - b.bytes);
    if (this.#points.length === 0) this.#at = 0;
  }

  /**
   * @param points of {@link Have}.
   * @param remembered of the file at this path: spares reading the beginning again where it is still the same.
   * @throws SourceChanged, or a system error.
   */
  static open(fs: SourceFs, file: KnownFile, points: Points, remembered?: Remembered): FileReading {
    const fd = fs.openFile(file.path, file.follow);
    try {
      const found = fs.fstat(fd);
      const same = found.isFile() && found.size === file.size && (file.mtimeMs === undefined || found.mtimeMs === file.mtimeMs);
      if (!same) throw new SourceChanged('not what was listed');
      const reading = new FileReading(fs, fd, file.path, found, points);
      if (remembered !== undefined) reading.#recall(remembered);
      return reading;
    } catch (error) {
      closeQuietly(fs, fd);
      throw error;
    }
  }

  /** Whether it is known where to begin; {@link prove} finds it. */
  get proven(): boolean {
    return this.#at !== undefined;
  }

  /** Bytes that need not be sent, once that is {@link proven}. */
  get had(): number {
    return this.#right;
  }

  get complete(): boolean {
    return this.#at === this.#found.size;
  }

  /**
   * Finds where to begin. The points are looked at from the shortest on: behind a wrong one all are wrong.
   *
   * @returns whether that is done; otherwise the budget is used up. @throws SourceChanged, or a system error.
   */
  prove(budget: Budget, scratch: Buffer): boolean {
    while (this.#at === undefined) {
      const point = this.#points[this.#next];
      const target = this.#again ? this.#right : point?.bytes;
      if (target !== undefined && this.#hashed < target) {
        if (budget.bytes <= 0) return false;
        const bytes = Math.min(scratch.length, target - this.#hashed);
        this.#read(scratch, 0, bytes, this.#hashed);
        this.#hash(scratch, 0, bytes, this.#hashed);
        budget.bytes -= bytes;
      } else if (this.#again || point === undefined) {
        this.#at = this.#right;
      } else if (this.#hasher.digest('hex') === point.blake3) {
        this.#right = point.bytes;
        this.#next += 1;
      } else {
        this.#again = true;
        this.#hasher = new Blake3Hasher();
        this.#hashed = 0;
      }
    }
    return true;
  }

  /**
   * Puts one data frame into `block` at `from`, where there is room for one before `end`; after {@link prove}.
   *
   * @returns where it ends; `from` where there was no room. @throws SourceChanged, or a system error.
   */
  frame(block: Buffer, from: number, end: number, transfer: number, entry: number): number {
    const at = this.#at ?? 0;
    const left = this.#found.size - at;
    const room = Math.min(left, frameLimits.dataPayloadBytes, end - from - DATA_PREFIX_BYTES);
    const beyond = (at + room) % ALIGNED;
    const bytes = room === left || room < beyond + LEAST_PIECE ? room : room - beyond;
    if (bytes <= 0 || (from > 0 && bytes < Math.min(left, LEAST_PIECE))) return from;
    const payload = from + DATA_PREFIX_BYTES;
    this.#read(block, payload, bytes, at);
    this.#hashInSteps(block, payload, bytes, at);
    writeDataPrefix(block, from, { transfer, entry, offset: at }, bytes);
    this.#at = at + bytes;
    return payload + bytes;
  }

  /** The hash of the whole file, when it is complete. @throws SourceChanged where it is not what it was, or a system error. */
  finish(): string {
    const now = this.#fs.fstat(this.#fd);
    if (now.size !== this.#found.size || now.mtimeMs !== this.#found.mtimeMs) throw new SourceChanged('changed while it was read');
    const blake3 = this.#hasher.digest('hex');
    if (this.#digests.size > 0) this.#digests.set(this.#found.size, blake3);
    return blake3;
  }

  /** What spares reading it again; undefined of a file that is small or was not begun. */
  remembered(): Remembered | undefined {
    if (this.#digests.size === 0) return undefined;
    return { path: this.#path, found: this.#found, hasher: this.#hasher, hashed: this.#hashed, digests: this.#digests };
  }

  close(): void {
    closeQuietly(this.#fs, this.#fd);
  }

  /** The hasher stays where it is, ahead of the receiver; bytes that go out for the second time do not go through it again. */
  #recall({ found, hasher, hashed, digests }: Remembered): void {
    const now = this.#found;
    const same = found.dev === now.dev && found.ino === now.ino && found.size === now.size && found.mtimeMs === now.mtimeMs;
    const point = this.#points.findLast(({ bytes, blake3 }) => digests.get(bytes) === blake3);
    if (!same || point === undefined) return;
    this.#hasher = hasher;
    this.#hashed = hashed;
    this.#digests = new Map(digests);
    this.#right = point.bytes;
    this.#at = point.bytes;
  }

  /** Hashes, and remembers what may be asked for after a broken link. */
  #hashInSteps(buffer: Buffer, from: number, bytes: number, offset: number): void {
    for (let done = 0; done < bytes; ) {
      const step = Math.min(bytes - done, REMEMBER_STEP - ((offset + done) % REMEMBER_STEP));
      const ahead = this.#hashed;
      this.#hash(buffer, from + done, step, offset + done);
      done += step;
      if (this.#hashed > ahead && this.#hashed % REMEMBER_STEP === 0) this.#remember();
    }
  }

  #remember(): void {
    this.#digests.set(this.#hashed, this.#hasher.digest('hex'));
    for (const oldest of this.#digests.keys()) {
      if (this.#digests.size <= REMEMBERED) break;
      this.#digests.delete(oldest);
    }
  }

  #hash(buffer: Buffer, from: number, bytes: number, offset: number): void {
    const known = Math.max(0, Math.min(bytes, this.#hashed - offset));
    if (known === bytes) return;
    this.#hasher.update(buffer.subarray(from + known, from + bytes));
    this.#hashed = offset + bytes;
  }

  #read(buffer: Buffer, from: number, bytes: number, position: number): void {
    for (let done = 0; done < bytes; ) {
      const read = this.#fs.read(this.#fd, buffer, from + done, bytes - done, position + done);
      if (read === 0) throw new SourceChanged('shorter than it was');
      done += read;
    }
  }
}

/** Nothing was written, so that an error of closing changes nothing. */
function closeQuietly(fs: SourceFs, fd: number): void {
  try {
    fs.close(fd);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
  }
}
