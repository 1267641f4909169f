/**
 * Where received files are kept: partials with unguessable names in a private folder, finished files in `received`.
 *
 * Owns every path and every step that gives a file its name (PROTOCOL.md 7.6); HOSTILE cases of symbolic links and
 * existing files end here. It does not look into contents: hashes are the transfer's business.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, link as linkFile, lstat, mkdir, open, readdir, rename, rm, unlink, type FileHandle } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { debuglog } from 'node:util';
import { systemCode } from '../protocol/errors.js';
import { transferLimits } from '../protocol/limits.js';
import { numberedFileName } from '../protocol/names.js';
import { TransferFailure } from './failure.js';
import { PartialFile, type FileNamer } from './partial-file.js';

const debug = debuglog('p2p-transfer');

const PARTIAL_NAME = /^[0-9a-f]{32}\.part$/u;
/** A partial not written to for this long belongs to no running program: a link is dead after 90 s without a byte. */
const LEFTOVER_MS = 24 * 60 * 60 * 1000;

/** Errors of `link` that mean "not on this file system" (FAT, some network and FUSE mounts). */
const NO_HARD_LINKS: readonly string[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV'];

export interface ReceiveStoreOptions {
  /** Folder of finished files; made with mode 0700 when first needed. */
  readonly received: string;
  /** Folder of partials, private to this store and on the same file system. */
  readonly partial: string;
  /** Replaced in tests, to stand for a file system without hard links. */
  readonly link?: (existing: string, name: string) => Promise<void>;
}

export class ReceiveStore implements FileNamer {
  readonly #received: string;
  readonly #partial: string;
  readonly #link: (existing: string, name: string) => Promise<void>;

  constructor(options: ReceiveStoreOptions) {
    this.#received = resolve(options.received);
    this.#partial = resolve(options.partial);
    this.#link = options.link ?? linkFile;
  }

  /**
   * A new, empty partial.
   *
   * @throws TransferFailure `write-failed` where a folder is a symbolic link or no folder; system errors as they come.
   */
  async create(): Promise<PartialFile> {
    // Looked at now as well, so that an unusable folder is known before gigabytes have been sent.
    await ensureFolder(this.#received);
    await ensureFolder(this.#partial);
    await chmod(this.#partial, 0o700);
    const path = join(this.#partial, `${randomBytes(16).toString('hex')}.part`);
    return new PartialFile(await openNew(path), path, this);
  }

  /**
   * Gives the file at `partial` the name `name`, or the first free `name (n)`, and returns its absolute path. Never
   * replaces anything: the step itself fails where the name exists.
   *
   * @param handle the same file, open: what is named must still be what was written.
   */
  async name(partial: string, handle: FileHandle, name: string): Promise<string> {
    await ensureFolder(this.#received);
    for (let n = 0; n <= transferLimits.collisionNames; n += 1) {
      const path = join(this.#received, n === 0 ? name : numberedFileName(name, n));
      if (!(await this.#claim(partial, path))) continue;
      await this.#mustBe(path, handle);
      await syncFolder(this.#received);
      return path;
    }
    throw new TransferFailure('write-failed', 'The receiver has too many files of this name.');
  }

  /**
   * Removes partials that a killed program left behind, those untouched for a day: this version cannot continue them, and
   * younger ones may belong to another program that runs with the same folder. What cannot be removed stays.
   */
  async removeLeftovers(nowMs: number): Promise<void> {
    for (const name of await namesIn(this.#partial)) {
      if (!PARTIAL_NAME.test(name)) continue;
      const path = join(this.#partial, name);
      try {
        const found = await lstat(path);
        if (found.isFile() && nowMs - found.mtimeMs > LEFTOVER_MS) await rm(path, { force: true });
      } catch (error) {
        if (systemCode(error) === undefined) throw error;
        debug('leftover %s stays: %s', path, systemCode(error));
      }
    }
  }

  /** Whether `path` was free and is now the file at `partial`. */
  async #claim(partial: string, path: string): Promise<boolean> {
    try {
      await this.#link(partial, path);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'EEXIST') return false;
      if (code === undefined || !NO_HARD_LINKS.includes(code)) throw error;
      return this.#claimByRename(partial, path);
    }
    await unlink(partial);
    return true;
  }

  /** Without hard links: an empty file of our own takes the name, which nobody else can then, and is replaced. */
  async #claimByRename(partial: string, path: string): Promise<boolean> {
    try {
      await (await openNew(path)).close();
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    }
    try {
      await rename(partial, path);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    return true;
  }

  /** A folder exchanged between the look and the step would have led elsewhere; then the name is taken back. */
  async #mustBe(path: string, handle: FileHandle): Promise<void> {
    const [written, named, folder] = await Promise.all([handle.stat(), lstat(path), lstat(this.#received)]);
    const same = named.dev === written.dev && named.ino === written.ino;
    if (same && folder.isDirectory()) return;
    if (same) await rm(path, { force: true });
    throw new TransferFailure('write-failed', 'The receiver’s folder was exchanged while the file was stored.');
  }
}

/** Opens a file that must not exist, for writing; never through a symbolic link, never executable. */
function openNew(path: string): Promise<FileHandle> {
  return open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600);
}

/** Makes the folder where it is missing. A symbolic link in its place is refused, wherever it leads. */
async function ensureFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await lstat(path);
  if (found.isDirectory()) return;
  throw new TransferFailure('write-failed', 'The receiver’s folder is a symbolic link, which is not followed.');
}

/** Makes a new name survive a power cut. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // A folder that cannot be used says so when a file comes.
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}
