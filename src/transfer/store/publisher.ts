/**
 * The last step of a transfer at the receiver's disk: what was staged is flushed and gets its final name.
 *
 * Owns every step that makes something appear in the received folder (PROTOCOL.md 7.6). None of them replaces anything or
 * follows a symbolic link, and after each the program may be killed: sent again, the same ends with everything there once.
 */
import { systemCode } from '../../protocol/errors.js';
import { transferLimits } from '../../protocol/limits.js';
import { numberedFileName } from '../../protocol/names.js';
import { FILE_MODE, openFlags, type Disk } from './disk.js';
import { joined } from './entry-names.js';
import { TransferFailure } from '../failure.js';
import { ensureFolder, isSame, openFolder, type FolderHandle } from './folder-handle.js';
import { haveSameBytes } from './found-file.js';
import type { Staging } from './staging.js';
import { inTurns, type Steps } from './steps.js';
import { flushTree, removeTree, unlinkIfThere } from './tree-walk.js';

/** Errors of `link` that mean "not on this file system" (FAT, some network and FUSE mounts). */
const NO_HARD_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EXDEV']);
/** Files moved one by one between two turns of others. */
const STEP_FILES = 128;

export interface PublisherOptions {
  readonly disk: Disk;
  readonly staging: Staging;
  /** Absolute path of the received folder. */
  readonly received: string;
  /** Safe name at the top of it. */
  readonly name: string;
  /** Of the whole, milliseconds since 1970; null where unknown. */
  readonly modified: number | null;
  onNote(path: string, note: string): void;
}

export class Publisher {
  readonly #disk: Disk;
  readonly #options: PublisherOptions;
  #moved = 0;
  #same = 0;

  constructor(options: PublisherOptions) {
    this.#disk = options.disk;
    this.#options = options;
  }

  /** Files that turned out to be there only when they were to get their name. */
  get same(): number {
    return this.#same;
  }

  /** Names the single file. @returns its absolute path. @throws TransferFailure, system errors. */
  async publishFile(): Promise<string> {
    const { staging, name } = this.#options;
    if (staging.foundPath !== undefined) return staging.foundPath;
    await inTurns(flushTree(this.#disk, staging.content));
    return this.#inReceived((folder) => inTurns(this.#claim(staging.content, folder, name)));
  }

  /** Moves the tree to its place, or into the folder of this name that is there. @returns its absolute path. @throws TransferFailure, system errors. */
  async publishTree(): Promise<string> {
    const { staging, name, modified } = this.#options;
    staging.leave();
    if (staging.mixed) await inTurns(this.#purge(staging.content, ''));
    if (modified !== null) this.#disk.setPathTime(staging.content, modified);
    await this.#flushStaged();
    const path = await this.#inReceived((folder) => inTurns(this.#moveFolder(staging.content, folder, name, '')));
    // Folders that were there already are flushed one by one only where they are few.
    if (this.#moved > transferLimits.flushSingly) await this.#flushAll(path);
    return path;
  }

  /** Removes what an earlier transfer or link left in the tree and this one did not name: nobody has looked at its bytes. */
  *#purge(path: string, safe: string): Steps<void> {
    const before = this.#disk.lstat(path);
    let removed = 0;
    for (const entry of this.#disk.readdir(path)) {
      const inside = joined(safe, entry.name);
      const wanted = this.#options.staging.has(inside) && (entry.isDirectory() || entry.isFile());
      if (!wanted) {
        removed += 1;
        yield* removeTree(this.#disk, `${path}/${entry.name}`);
      } else if (entry.isDirectory()) yield* this.#purge(`${path}/${entry.name}`, inside);
    }
    if (removed > 0 && before !== undefined) this.#disk.setPathTime(path, before.mtimeMs);
    yield;
  }

  async #flushStaged(): Promise<void> {
    const { content, entries } = this.#options.staging;
    if (entries > transferLimits.flushSingly) await this.#flushAll(content);
    else await inTurns(flushTree(this.#disk, content));
  }

  async #flushAll(path: string): Promise<void> {
    try {
      // Another process has no such `self`.
      await this.#disk.flushAll(path.replace(/^\/proc\/self\//u, `/proc/${process.pid}/`));
    } catch {
      // No such command, or it failed: the same file by file, which also tells what fails.
      await inTurns(flushTree(this.#disk, path));
    }
  }

  /** Runs a step that names something in the received folder, and makes sure that it was this folder all along. */
  async #inReceived(step: (folder: FolderHandle) => Promise<Named>): Promise<string> {
    const { received } = this.#options;
    ensureFolder(this.#disk, received);
    const folder = openFolder(this.#disk, received);
    try {
      this.#mustBe(received, folder);
      const named = await step(folder);
      try {
        this.#mustBe(received, folder);
      } catch (error) {
        named.takeBack();
        throw error;
      }
      named.settle();
      this.#disk.fsync(folder.fd);
      return `${received}/${named.name}`;
    } finally {
      this.#disk.close(folder.fd);
    }
  }

  #mustBe(path: string, folder: FolderHandle): void {
    const now = this.#disk.lstat(path);
    if (now !== undefined && isSame(now, folder.identity)) return;
    throw new TransferFailure('write-failed', 'The receiver’s folder was exchanged while the file was stored.');
  }

  /**
   * Gives the file at `staged` the name `name`, or the first free `name (n)`, in a folder; or finds that the one that has the name
   * is no other. The staged name stays until it is settled.
   */
  *#claim(staged: string, folder: FolderHandle, name: string): Steps<Named> {
    const file = this.#disk.lstat(staged);
    // Known of a single file only; in a tree nobody else had the time to do what it would take.
    const { identity } = this.#options.staging;
    if (file?.isFile() !== true || (identity !== undefined && !isSame(file, identity))) {
      throw new TransferFailure('write-failed', 'The receiver’s file was exchanged or removed meanwhile.');
    }
    for (let n = 0; n <= transferLimits.collisionNames; n += 1) {
      const chosen = n === 0 ? name : numberedFileName(name, n);
      const path = `${folder.ref}/${chosen}`;
      const how = this.#claimOne(staged, path, file);
      if (how === undefined) {
        if (!(yield* haveSameBytes(this.#disk, staged, path))) continue;
        return { name: chosen, takeBack: () => undefined, settle: () => this.#drop(staged) };
      }
      const takeBack = () => (how === 'linked' ? unlinkIfThere(this.#disk, path) : this.#disk.rename(path, staged));
      return { name: chosen, takeBack, settle: () => (how === 'linked' ? unlinkIfThere(this.#disk, staged) : undefined) };
    }
    throw new TransferFailure('write-failed', 'The receiver has too many files of this name.');
  }

  /** It came although it was there: it was not seen in time. */
  #drop(staged: string): void {
    unlinkIfThere(this.#disk, staged);
    this.#same += 1;
  }

  /** Undefined where the name is taken by something else. */
  #claimOne(staged: string, path: string, file: { readonly dev: number; readonly ino: number }): 'linked' | 'renamed' | undefined {
    try {
      this.#disk.link(staged, path);
      return 'linked';
    } catch (error) {
      const code = systemCode(error) ?? '';
      if (code === 'EEXIST') {
        // Its own name, given before the program was killed.
        const there = this.#disk.lstat(path);
        return there !== undefined && isSame(there, file) ? 'linked' : undefined;
      }
      if (!NO_HARD_LINKS.has(code)) throw error;
    }
    return this.#claimByRename(staged, path) ? 'renamed' : undefined;
  }

  /** Without hard links: an empty file of our own takes the name, which nobody else can then, and is replaced. */
  #claimByRename(staged: string, path: string): boolean {
    try {
      this.#disk.close(this.#disk.open(path, openFlags.create, FILE_MODE));
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    }
    try {
      this.#disk.rename(staged, path);
    } catch (error) {
      unlinkIfThere(this.#disk, path);
      throw error;
    }
    return true;
  }

  /**
   * Moves a staged folder into another under its name, or into the folder of that name that is there; where something else has
   * the name, under the first `name (n)` that is a folder or free. `safe`: its path, for notes.
   */
  *#moveFolder(staged: string, into: FolderHandle, name: string, safe: string): Steps<Named> {
    for (let n = 0; n <= transferLimits.collisionNames; n += 1) {
      const chosen = n === 0 ? name : numberedFileName(name, n);
      const path = `${into.ref}/${chosen}`;
      const there = this.#disk.lstat(path);
      if (there !== undefined && !there.isDirectory()) continue;
      if (n > 0 && safe !== '') this.#options.onNote(safe, `is stored as ${chosen}, since another has its name`);
      if (there === undefined && this.#moveWhole(staged, path)) {
        return { name: chosen, takeBack: () => this.#disk.rename(path, staged), settle: () => undefined };
      }
      yield* this.#merge(staged, path, safe);
      return { name: chosen, takeBack: () => undefined, settle: () => undefined };
    }
    throw new TransferFailure('write-failed', 'The receiver has too many folders of this name.');
  }

  /** An empty folder of our own takes the name and is replaced, which the system does with empty ones only. @returns false where it was not empty. */
  #moveWhole(staged: string, path: string): boolean {
    try {
      this.#disk.mkdir(path);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    }
    try {
      this.#disk.rename(staged, path);
      return true;
    } catch (error) {
      const code = systemCode(error) ?? '';
      if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
      this.#removeIfEmpty(path);
      throw error;
    }
  }

  #removeIfEmpty(path: string): void {
    try {
      this.#disk.rmdir(path);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
    }
  }

  *#merge(staged: string, path: string, safe: string): Steps<void> {
    const folder = openFolder(this.#disk, path);
    try {
      for (const entry of this.#disk.readdir(staged)) {
        const inside = `${staged}/${entry.name}`;
        const insideSafe = joined(safe, entry.name);
        if (entry.isDirectory()) (yield* this.#moveFolder(inside, folder, entry.name, insideSafe)).settle();
        else {
          const named = yield* this.#claim(inside, folder, entry.name);
          named.settle();
          if (named.name !== entry.name) this.#options.onNote(insideSafe, `is stored as ${named.name}, since another has its name`);
        }
        this.#moved += 1;
        if (this.#moved % STEP_FILES === 0) yield;
      }
      if (this.#moved <= transferLimits.flushSingly) this.#disk.fsync(folder.fd);
    } finally {
      this.#disk.close(folder.fd);
    }
    this.#disk.rmdir(staged);
  }
}

/** Something that has got a name. */
interface Named {
  readonly name: string;
  /** As if it had not; only before {@link settle}. */
  takeBack(): void;
  /** It is to keep it. */
  settle(): void;
}
