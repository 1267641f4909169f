/**
 * What is there of a file before it is sent: how far it goes, and the hash of that (`have` in PROTOCOL.md 7.5.1).
 *
 * Owns the reading and hashing. Several lengths cost one pass, since BLAKE3 tells its state at any moment. What the points are
 * good for is the business of incoming-tree.ts.
 */
import { Blake3Hasher } from '@napi-rs/blake-hash';
import type { Stats } from 'node:fs';
import { systemCode } from '../../protocol/errors.js';
import { transferLimits } from '../../protocol/limits.js';
import type { Have } from '../../protocol/peer-messages.js';
import { openFlags, type Disk } from './disk.js';
import { isSame } from './folder-handle.js';
import type { Steps } from './steps.js';

export type Point = Have['points'][number];

/** A file, or the beginning of one, that may spare the sender something. */
export interface FoundFile {
  /** `staged`: of this transfer, to be continued. `received`: a finished one that is only compared. */
  readonly place: 'staged' | 'received';
  readonly path: string;
  /** As it was when it was read. */
  readonly stats: Pick<Stats, 'dev' | 'ino' | 'size' | 'mtimeMs' | 'nlink'>;
  /** Ascending; may be empty. */
  readonly points: readonly Point[];
  /** Holds the bytes of the last point, where they are not all of the file. */
  readonly hasher: Blake3Hasher | undefined;
}

/** All that is there of an entry. */
export interface FoundFiles {
  readonly staged?: FoundFile | undefined;
  readonly received?: FoundFile | undefined;
}

/** What the sender is told of them: at most one point for each length. */
export function pointsOf({ staged, received }: FoundFiles): Point[] {
  const whole = received?.points.at(-1);
  const begun = staged?.points.filter(({ bytes }) => whole === undefined || bytes < whole.bytes) ?? [];
  const points = whole === undefined ? begun : [...begun.slice(1 - transferLimits.pointsPerEntry), whole];
  return points.filter(({ bytes }) => bytes > 0);
}

/** The hash of no bytes. */
export const EMPTY_BLAKE3 = new Blake3Hasher().digest('hex');

/** Hashed between two turns of others: a few milliseconds. */
const STEP_BYTES = 8 * 1024 * 1024;

/**
 * Pages written and not yet flushed are lost when the power goes: up to 32 MiB of one file and what the disk holds back. So the
 * sender is also told shorter lengths, of which one is whole.
 */
const BACK_BYTES: readonly number[] = [32, 64, 128, 512, 2048, 8192].map((mebibytes) => mebibytes * 1024 * 1024);

/** Lengths worth hashing, ascending, of a file that has `bytes`. */
export function pointLengths(bytes: number): number[] {
  const shorter = BACK_BYTES.map((back) => bytes - back).filter((length) => length > 0);
  return [bytes, ...shorter].slice(0, transferLimits.pointsPerEntry).reverse();
}

/** Shared, since it is never used across a step. */
const readBuffer = Buffer.allocUnsafeSlow(transferLimits.bufferBytes);
const otherBuffer = Buffer.allocUnsafeSlow(transferLimits.bufferBytes);

/**
 * Reads the file at `path` up to the last of `lengths`.
 *
 * @returns undefined where it is no regular file.
 */
export function* findFile(disk: Disk, path: string, place: FoundFile['place'], lengths: (size: number) => readonly number[]): Steps<FoundFile | undefined> {
  const fd = disk.open(path, openFlags.read);
  try {
    const stats = disk.fstat(fd);
    if (!stats.isFile()) return undefined;
    const hasher = new Blake3Hasher();
    const points = yield* hashUpTo(disk, fd, hasher, lengths(stats.size));
    const { dev, ino, size, mtimeMs, nlink } = stats;
    return { place, path, stats: { dev, ino, size, mtimeMs, nlink }, points, hasher: place === 'staged' ? hasher : undefined };
  } finally {
    disk.close(fd);
  }
}

/** Whether two regular files hold the same bytes. Links are not followed; what cannot be read is not the same. */
export function* haveSameBytes(disk: Disk, one: string, other: string): Steps<boolean> {
  const fds: number[] = [];
  try {
    for (const path of [one, other]) fds.push(disk.open(path, openFlags.read));
    const [first = -1, second = -1] = fds;
    const [stats, others] = [disk.fstat(first), disk.fstat(second)];
    if (!stats.isFile() || !others.isFile() || stats.size !== others.size) return false;
    for (let at = 0; at < stats.size; ) {
      const counts = [disk.read(first, readBuffer, 0, readBuffer.length, at), disk.read(second, otherBuffer, 0, otherBuffer.length, at)];
      const count = Math.min(...counts);
      if (count === 0 || readBuffer.compare(otherBuffer, 0, count, 0, count) !== 0) return false;
      at += count;
      yield;
    }
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  } finally {
    for (const fd of fds) disk.close(fd);
  }
}

/** The hash of the first `bytes` bytes of an open file, to be gone on with; undefined where it has fewer. */
export function* hashPrefix(disk: Disk, fd: number, bytes: number): Steps<Blake3Hasher | undefined> {
  const hasher = new Blake3Hasher();
  const points = yield* hashUpTo(disk, fd, hasher, [bytes]);
  return points.length === 1 ? hasher : undefined;
}

/** Fewer points where the file ends before. */
function* hashUpTo(disk: Disk, fd: number, hasher: Blake3Hasher, lengths: readonly number[]): Steps<Point[]> {
  const points: Point[] = [];
  let at = 0;
  let nextTurn = STEP_BYTES;
  for (const bytes of lengths) {
    while (at < bytes) {
      const count = disk.read(fd, readBuffer, 0, Math.min(readBuffer.length, bytes - at), at);
      if (count === 0) return points;
      hasher.update(count === readBuffer.length ? readBuffer : readBuffer.subarray(0, count));
      at += count;
      if (at < nextTurn) continue;
      nextTurn = at + STEP_BYTES;
      yield;
    }
    points.push({ bytes, blake3: hasher.digest('hex') });
  }
  return points;
}

/** Whether a found file is still what was read. */
export function isUnchanged(disk: Disk, { path, stats }: FoundFile): boolean {
  const now = disk.lstat(path);
  return now?.isFile() === true && isSame(now, stats) && now.size === stats.size && now.mtimeMs === stats.mtimeMs;
}
