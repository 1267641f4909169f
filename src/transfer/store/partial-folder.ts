/**
 * The private folder of one transfer under `partial/`: `lock`, `about.json`, and `content`, a file or a tree.
 *
 * Owns its name, which is the same whenever the same peer offers the same kind and name (PROTOCOL.md 7.5.5), its lock, which
 * the system drops when the process ends however that ends, and what is said about it. Not what is in `content`.
 */
import { blake3 } from '@napi-rs/blake-hash';
import { join } from 'node:path';
import * as v from 'valibot';
import { systemCode } from '../../protocol/errors.js';
import { FILE_MODE, openFlags, type Disk } from './disk.js';
import { TransferFailure } from '../failure.js';
import { ensureFolder, isSame, openFolder, type FolderHandle } from './folder-handle.js';
import { inOneGo, type Steps } from './steps.js';
import type { Wanted } from './store.js';
import { removeTree, unlinkIfThere } from './tree-walk.js';

const FOLDER_NAME = /^[0-9a-f]{32}$/u;
/** The same thing offered so many times at once, or so many names lost to something else. */
const MOST_OF_ONE = 64;
const ABOUT_BYTES = 64 * 1024;
/** How often a write is noted as the latest, milliseconds. */
const TOUCH_MS = 10_000;

const about = v.object({
  peer: v.string(),
  fingerprint: v.string(),
  kind: v.picklist(['file', 'folder']),
  name: v.string(),
  size: v.nullable(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  modified: v.nullable(v.number()),
  startedMs: v.number(),
});
export type About = v.InferOutput<typeof about>;

/** The names that the partial of an offer may have, in the order in which they are tried. */
function* namesFor({ fingerprint, kind, name }: Wanted): Iterable<string> {
  for (let n = 0; n < MOST_OF_ONE; n += 1) {
    const id = `${fingerprint}\0${kind}\0${name}${n === 0 ? '' : `\0${n}`}`;
    yield blake3(id).toString('hex', 0, 16);
  }
}

/** An open partial, locked. */
export class PartialFolder {
  /** Whether it was there before. */
  readonly resumed: boolean;
  /** Of the file or tree. */
  readonly content: string;
  readonly #disk: Disk;
  readonly #path: string;
  readonly #folder: FolderHandle;
  readonly #lock: number;
  #touchedMs: number;
  #state: 'open' | 'closed' = 'open';

  private constructor(disk: Disk, path: string, { folder, lock }: Locked, nowMs: number) {
    this.#disk = disk;
    this.#path = path;
    this.#folder = folder;
    this.#lock = lock;
    this.#touchedMs = nowMs;
    this.content = `${folder.ref}/content`;
    this.resumed = disk.lstat(this.content) !== undefined;
  }

  /** The partial of this offer, or a new one where there is none that is not in use. @throws TransferFailure, system errors. */
  static open(disk: Disk, root: string, wanted: Wanted, nowMs: number): PartialFolder {
    const found = ensureFolder(disk, root);
    if ((found.mode & 0o077) !== 0) disk.chmod(root, 0o700);
    for (const name of namesFor(wanted)) {
      const path = join(root, name);
      if (disk.lstat(path) === undefined) makeOrFind(disk, path);
      const locked = lockAt(disk, path);
      if (locked === undefined) continue;
      try {
        disk.setTime(locked.lock, nowMs);
        const partial = new PartialFolder(disk, path, locked, nowMs);
        partial.#describe(wanted, nowMs);
        return partial;
      } catch (error) {
        unlock(disk, locked);
        throw error;
      }
    }
    throw new TransferFailure('write-failed', 'The receiver has too many unfinished transfers of this name.');
  }

  /** Where the tree is for other programs. */
  get path(): string {
    return this.#path;
  }

  /** Whether the file system takes `A` and `a` for one name. */
  get foldsCase(): boolean {
    return this.#disk.lstat(`${this.#folder.ref}/LOCK`) !== undefined;
  }

  /** Notes now and then that it is being written to, which counts for how long it is kept. */
  touch(nowMs: number): void {
    if (nowMs - this.#touchedMs < TOUCH_MS) return;
    this.#touchedMs = nowMs;
    this.#disk.setTime(this.#lock, nowMs);
  }

  /** Idempotent. Lets others have it. */
  close(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    unlock(this.#disk, { folder: this.#folder, lock: this.#lock });
  }

  /** Removes it, and closes it; nothing after {@link close}. */
  *remove(): Steps<void> {
    if (this.#state === 'closed') return;
    try {
      yield* removeContents(this.#disk, this.#path, this.#folder);
    } finally {
      this.close();
    }
  }

  #describe({ peer, fingerprint, kind, name, size, modified }: Wanted, nowMs: number): void {
    const before = readAbout(this.#disk, this.#folder);
    const wanted = { peer, fingerprint, kind, name, size, modified, startedMs: before?.startedMs ?? nowMs };
    const text = JSON.stringify(wanted);
    if (before !== undefined && JSON.stringify(before) === text) return;
    const path = `${this.#folder.ref}/about.json`;
    unlinkIfThere(this.#disk, `${path}.new`);
    const fd = this.#disk.open(`${path}.new`, openFlags.create, FILE_MODE);
    try {
      const bytes = Buffer.from(text);
      for (let at = 0; at < bytes.length; ) at += this.#disk.write(fd, bytes, at, bytes.length - at, at);
    } finally {
      this.#disk.close(fd);
    }
    this.#disk.rename(`${path}.new`, path);
  }
}

/** A partial that no running program has. */
export interface IdlePartial {
  readonly about: About | undefined;
  readonly content: string;
  readonly lastMs: number;
  readonly remove: () => Steps<void>;
}

/** Calls `visit` for each, while it is locked. What cannot be looked at is left out. */
export function* visitIdle(disk: Disk, root: string, visit: (partial: IdlePartial) => Steps<void>): Steps<void> {
  if (disk.lstat(root)?.isDirectory() !== true) return;
  for (const { name } of disk.readdir(root)) {
    if (FOLDER_NAME.test(name)) yield* visitOne(disk, join(root, name), visit);
    yield;
  }
}

/** The partial that would be continued, when one is there and free. */
export function* visitPartialOf(disk: Disk, root: string, wanted: Wanted, visit: (partial: IdlePartial) => Steps<void>): Steps<void> {
  if (disk.lstat(root)?.isDirectory() !== true) return;
  for (const name of namesFor(wanted)) {
    const path = join(root, name);
    if (disk.lstat(path) === undefined) return;
    if (yield* visitOne(disk, path, visit)) return;
  }
}

function* visitOne(disk: Disk, path: string, visit: (partial: IdlePartial) => Steps<void>): Steps<boolean> {
  const locked = lockAt(disk, path);
  if (locked === undefined) return false;
  try {
    const content = `${locked.folder.ref}/content`;
    const lastMs = disk.fstat(locked.lock).mtimeMs;
    yield* visit({ about: readAbout(disk, locked.folder), content, lastMs, remove: () => removeContents(disk, path, locked.folder) });
    return true;
  } finally {
    unlock(disk, locked);
  }
}

interface Locked {
  readonly folder: FolderHandle;
  readonly lock: number;
}

/** Undefined where it is in use, is no folder, or was removed meanwhile. */
function lockAt(disk: Disk, path: string): Locked | undefined {
  const folder = openIfFolder(disk, path);
  if (folder === undefined) return undefined;
  let lock: number | undefined;
  try {
    lock = disk.open(`${folder.ref}/lock`, openFlags.lock, FILE_MODE);
    const found = disk.fstat(lock);
    // Whoever removes a partial holds its lock; this one may have been opened before that.
    if (found.isFile() && disk.lock(lock) && stillThere(disk, path, folder, lock)) return { folder, lock };
  } catch (error) {
    if (!NOT_OURS.has(systemCode(error) ?? '')) {
      closeBoth(disk, folder, lock);
      throw error;
    }
  }
  closeBoth(disk, folder, lock);
  return undefined;
}

/** A symbolic link or something else in the place of what we made, or nothing any more. */
const NOT_OURS: ReadonlySet<string> = new Set(['ELOOP', 'ENOTDIR', 'ENOENT', 'EISDIR', 'EMLINK']);

function openIfFolder(disk: Disk, path: string): FolderHandle | undefined {
  try {
    return openFolder(disk, path);
  } catch (error) {
    if (NOT_OURS.has(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

function stillThere(disk: Disk, path: string, folder: FolderHandle, lock: number): boolean {
  const [named, inside] = [disk.lstat(path), disk.lstat(`${folder.ref}/lock`)];
  return named !== undefined && inside !== undefined && isSame(named, folder.identity) && isSame(inside, disk.fstat(lock));
}

function unlock(disk: Disk, { folder, lock }: Locked): void {
  closeBoth(disk, folder, lock);
}

function closeBoth(disk: Disk, folder: FolderHandle, lock: number | undefined): void {
  disk.close(folder.fd);
  if (lock !== undefined) disk.close(lock);
}

function makeOrFind(disk: Disk, path: string): void {
  try {
    disk.mkdir(path);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** `lock` goes last, so that a removal that was interrupted is one still. */
function* removeContents(disk: Disk, path: string, folder: FolderHandle): Steps<void> {
  for (const { name } of disk.readdir(folder.ref)) if (name !== 'lock') yield* removeTree(disk, `${folder.ref}/${name}`);
  unlinkIfThere(disk, `${folder.ref}/lock`);
  const named = disk.lstat(path);
  if (named !== undefined && isSame(named, folder.identity)) disk.rmdir(path);
}

function readAbout(disk: Disk, folder: FolderHandle): About | undefined {
  const path = `${folder.ref}/about.json`;
  const found = disk.lstat(path);
  if (found === undefined) return undefined;
  // Half written, or not by us: made anew.
  if (!found.isFile() || found.size > ABOUT_BYTES) {
    inOneGo(removeTree(disk, path));
    return undefined;
  }
  const fd = disk.open(path, openFlags.read);
  try {
    const bytes = Buffer.alloc(found.size);
    const parsed = v.safeParse(about, parsedOrUndefined(bytes.toString('utf8', 0, disk.read(fd, bytes, 0, bytes.length, 0))));
    return parsed.success ? parsed.output : undefined;
  } finally {
    disk.close(fd);
  }
}

function parsedOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
