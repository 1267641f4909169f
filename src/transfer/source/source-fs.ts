/**
 * The calls to the system with which the sender's disk is read, so that tests can put faults in their place.
 *
 * All of them are synchronous: they are made in a thread that has nothing else to do (source-worker.ts), where they cost
 * a fifth of what a promise for each costs. Owns no rule of what is read (folder-walk.ts, file-reading.ts).
 */
import { closeSync, constants, fstatSync, lstatSync, opendirSync, openSync, readdirSync, readSync, realpathSync, statSync, type Stats } from 'node:fs';

/** What `lstat` or a directory says that something is; `Stats` and `Dirent` are both. */
export interface FileType {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isSocket(): boolean;
  isFIFO(): boolean;
  isBlockDevice(): boolean;
  isCharacterDevice(): boolean;
}

/** A folder that is being read. */
export interface FolderHandle {
  /** null at the end. */
  readSync(): (FileType & { readonly name: string }) | null;
  closeSync(): void;
}

/** Every call may throw a system error. */
export interface SourceFs {
  stat(path: string): Stats;
  lstat(path: string): Stats;
  realpath(path: string): string;
  openFolder(path: string): FolderHandle;
  /** The names in a folder as the bytes that they are. */
  rawNames(path: string): readonly Buffer[];
  /** `follow`: the last name of the path may be a symbolic link. */
  openFile(path: string, follow: boolean): number;
  fstat(fd: number): Stats;
  /** May read less than asked; 0 at the end of the file. */
  read(fd: number, buffer: Buffer, offset: number, bytes: number, position: number): number;
  close(fd: number): void;
}

/** Names fetched from the system at once. */
const NAMES_AT_ONCE = 256;

/** `O_NONBLOCK`, since a named pipe put in a file's place would otherwise hold the thread for ever. */
const OPEN = constants.O_RDONLY | constants.O_NONBLOCK;
const OPEN_NO_FOLLOW = OPEN | constants.O_NOFOLLOW;

export const systemSourceFs: SourceFs = {
  stat: (path) => statSync(path),
  lstat: (path) => lstatSync(path),
  realpath: (path) => realpathSync(path),
  openFolder: (path) => opendirSync(path, { bufferSize: NAMES_AT_ONCE }),
  rawNames: (path) => readdirSync(path, { encoding: 'buffer' }),
  openFile: (path, follow) => openSync(path, follow ? OPEN : OPEN_NO_FOLLOW),
  fstat: (fd) => fstatSync(fd),
  read: (fd, buffer, offset, bytes, position) => readSync(fd, buffer, offset, bytes, position),
  close: (fd) => closeSync(fd),
};
