/**
 * The calls to the receiver's disk, as one object that tests replace to let any of them fail.
 *
 * Owns no path and no rule. All are synchronous, since they are made in a thread of their own (store-worker.ts): a call there
 * costs a fraction of what it costs through the pool of the main thread. Only flushing, which takes long, is not.
 */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import { tryLock } from 'fs-native-extensions';

export interface Disk {
  open(path: string, flags: number, mode?: number): number;
  close(fd: number): void;
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number): number;
  write(fd: number, bytes: Uint8Array, offset: number, length: number, position: number): number;
  truncate(fd: number, bytes: number): void;
  fstat(fd: number): fs.Stats;
  /** Milliseconds since 1970. */
  setTime(fd: number, modified: number): void;
  setPathTime(path: string, modified: number): void;
  fsync(fd: number): void;
  fdatasync(fd: number): void;
  /** In the background; the error or null. */
  flush(fd: number, done: (error: Error | null) => void): void;
  /** Undefined where nothing is. */
  lstat(path: string): fs.Stats | undefined;
  stat(path: string): fs.Stats;
  mkdir(path: string): void;
  mkdirs(path: string): void;
  chmod(path: string, mode: number): void;
  readdir(path: string): fs.Dirent[];
  link(existing: string, path: string): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  rmdir(path: string): void;
  statfs(path: string): { readonly bavail: number; readonly bsize: number };
  /** Whether nobody else has it; lasts until it is closed, or the process ends. */
  lock(fd: number): boolean;
  /** Everything on the file system of `path`; rejects where the system has no such command. */
  flushAll(path: string): Promise<void>;
}

const FOLDER_MODE = 0o700;

/** Node cuts a time to whole microseconds, and the nearest number to 0.007 s is below that: half of one more keeps milliseconds exact. */
function seconds(milliseconds: number): number {
  return milliseconds / 1000 + 5e-7;
}

export const systemDisk: Disk = {
  open: (path, flags, mode) => fs.openSync(path, flags, mode),
  close: (fd) => fs.closeSync(fd),
  read: (fd, into, offset, length, position) => fs.readSync(fd, into, offset, length, position),
  write: (fd, bytes, offset, length, position) => fs.writeSync(fd, bytes, offset, length, position),
  truncate: (fd, bytes) => fs.ftruncateSync(fd, bytes),
  fstat: (fd) => fs.fstatSync(fd),
  setTime: (fd, modified) => fs.futimesSync(fd, seconds(modified), seconds(modified)),
  setPathTime: (path, modified) => fs.lutimesSync(path, seconds(modified), seconds(modified)),
  fsync: (fd) => fs.fsyncSync(fd),
  fdatasync: (fd) => fs.fdatasyncSync(fd),
  flush: (fd, done) => fs.fdatasync(fd, done),
  lstat: (path) => fs.lstatSync(path, { throwIfNoEntry: false }),
  stat: (path) => fs.statSync(path),
  mkdir: (path) => fs.mkdirSync(path, { mode: FOLDER_MODE }),
  mkdirs: (path) => void fs.mkdirSync(path, { recursive: true, mode: FOLDER_MODE }),
  chmod: (path, mode) => fs.chmodSync(path, mode),
  readdir: (path) => fs.readdirSync(path, { withFileTypes: true }),
  link: (existing, path) => fs.linkSync(existing, path),
  unlink: (path) => fs.unlinkSync(path),
  rename: (from, to) => fs.renameSync(from, to),
  rmdir: (path) => fs.rmdirSync(path),
  statfs: (path) => fs.statfsSync(path),
  lock: (fd) => tryLock(fd),
  flushAll: (path) =>
    new Promise((resolve, reject) => {
      // From coreutils 8.24 on: syncfs(2), which Node does not have. Its end says whether the flush went well.
      execFile('sync', ['-f', path], (error) => (error === null ? resolve() : reject(new Error('sync failed', { cause: error }))));
    }),
};

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW, O_DIRECTORY } = fs.constants;

/** How files and folders are opened: never through a symbolic link in the last place. Windows lacks two of the flags. */
export const openFlags = {
  /** Also does not wait where the file turns out to be a pipe. */
  read: O_RDONLY | O_NOFOLLOW | fs.constants.O_NONBLOCK,
  /** A file that must not exist. */
  create: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
  /** A file that exists. */
  write: O_RDWR | O_NOFOLLOW,
  /** A file that may exist. */
  lock: O_RDWR | O_CREAT | O_NOFOLLOW,
  folder: O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
} as const;

/** Neither readable nor writable for others, and nothing that comes from elsewhere is executable. */
export const FILE_MODE = 0o600;
