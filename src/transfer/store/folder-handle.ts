/**
 * A folder held open, so that what is done in it is done in this very folder, whatever its path leads to by then.
 *
 * Node has no `openat`. On Linux `/proc/self/fd/N/name` is the same thing; elsewhere the path is used, and only the
 * moment between look and step is open to whoever may write there.
 */
import type { Stats } from 'node:fs';
import { systemCode } from '../../protocol/errors.js';
import { openFlags, type Disk } from './disk.js';
import { TransferFailure } from '../failure.js';

export interface FolderHandle {
  /** For paths of what is in it. */
  readonly ref: string;
  readonly fd: number;
  readonly identity: Identity;
}

/** Which file or folder it is, whatever its name. */
export interface Identity {
  readonly dev: number;
  readonly ino: number;
}

export function isSame(one: Identity, other: Identity): boolean {
  return one.dev === other.dev && one.ino === other.ino;
}

/** @throws a system error, `ELOOP` or `ENOTDIR` for a symbolic link in the last place. */
export function openFolder(disk: Disk, path: string): FolderHandle {
  const fd = disk.open(path, openFlags.folder);
  try {
    const { dev, ino } = disk.fstat(fd);
    const identity = { dev, ino };
    return { fd, identity, ref: leadsTo(disk, `/proc/self/fd/${fd}`, identity) ? `/proc/self/fd/${fd}` : path };
  } catch (error) {
    disk.close(fd);
    throw error;
  }
}

function leadsTo(disk: Disk, ref: string, identity: Identity): boolean {
  if (process.platform !== 'linux') return false;
  try {
    return isSame(disk.stat(ref), identity);
  } catch (error) {
    // No /proc, as in some containers.
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** Makes the folder where it is missing. @throws TransferFailure `write-failed` for a symbolic link in its place, wherever it leads. */
export function ensureFolder(disk: Disk, path: string): Stats {
  const before = disk.lstat(path);
  if (before?.isDirectory() === true) return before;
  if (before === undefined) disk.mkdirs(path);
  const found = disk.lstat(path);
  if (found?.isDirectory() === true) return found;
  throw new TransferFailure('write-failed', 'The receiver’s folder is a symbolic link or no folder, which is not followed.');
}
