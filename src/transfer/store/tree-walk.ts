/**
 * Whole trees of the receiver's own: removed, measured, flushed. Symbolic links in them are never followed.
 */
import { systemCode } from '../../protocol/errors.js';
import { openFlags, type Disk } from './disk.js';
import type { Steps } from './steps.js';

/** Entries after which others get a turn. */
const STEP_ENTRIES = 128;

/** Removes a file or a folder with everything in it; nothing where nothing is. */
export function* removeTree(disk: Disk, path: string): Steps<void> {
  const found = disk.lstat(path);
  if (found === undefined) return;
  if (!found.isDirectory()) {
    unlinkIfThere(disk, path);
    return;
  }
  let count = 0;
  for (const entry of disk.readdir(path)) {
    const inside = `${path}/${entry.name}`;
    if (entry.isDirectory()) yield* removeTree(disk, inside);
    else unlinkIfThere(disk, inside);
    count += 1;
    if (count % STEP_ENTRIES === 0) yield;
  }
  disk.rmdir(path);
}

export function unlinkIfThere(disk: Disk, path: string): void {
  try {
    disk.unlink(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** Bytes of all regular files. */
export function* measureTree(disk: Disk, path: string): Steps<number> {
  const found = disk.lstat(path);
  if (found?.isFile() === true) return found.size;
  if (found?.isDirectory() !== true) return 0;
  let bytes = 0;
  let count = 0;
  for (const entry of disk.readdir(path)) {
    const inside = `${path}/${entry.name}`;
    if (entry.isDirectory()) bytes += yield* measureTree(disk, inside);
    else if (entry.isFile()) bytes += disk.lstat(inside)?.size ?? 0;
    count += 1;
    if (count % STEP_ENTRIES === 0) yield;
  }
  return bytes;
}

/** Makes a file, or every file and folder of a tree, survive a power cut. */
export function* flushTree(disk: Disk, path: string): Steps<void> {
  const fd = disk.open(path, openFlags.read);
  try {
    const found = disk.fstat(fd);
    if (found.isDirectory()) {
      for (const entry of disk.readdir(path)) {
        if (entry.isDirectory() || entry.isFile()) yield* flushTree(disk, `${path}/${entry.name}`);
      }
      disk.fsync(fd);
    } else if (found.isFile()) disk.fdatasync(fd);
  } finally {
    disk.close(fd);
  }
  yield;
}
