/**
 * Where the bytes of a transfer wait until all have come: `content` of its partial folder, a file or a tree under safe names.
 *
 * Owns the staged paths: everything below is made by us, and nothing in it is followed that is not a file or folder. Looks
 * into the received folder for files that need not come. Order and hashes are the business of incoming-tree.ts.
 */
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { systemCode } from '../../protocol/errors.js';
import { FILE_MODE, openFlags, type Disk } from './disk.js';
import { pathNumber } from './entry-names.js';
import type { FileEntry } from './entry-queue.js';
import { TransferFailure, writeFailure } from '../failure.js';
import { isSame, type Identity } from './folder-handle.js';
import { findFile, hashPrefix, isUnchanged, pointLengths, type FoundFile, type FoundFiles } from './found-file.js';
import type { PartialFolder } from './partial-folder.js';
import type { ReceivedFolder } from './received-folder.js';
import { Flushing, StagedFile } from './staged-file.js';
import { inOneGo, type Steps } from './steps.js';
import { removeTree, unlinkIfThere } from './tree-walk.js';

/** Errors that concern the name or place of one entry, and not the disk. */
const OF_ONE: ReadonlySet<string> = new Set(['EACCES', 'EPERM', 'ENAMETOOLONG', 'EINVAL', 'EILSEQ']);

export function refusesOne(error: unknown): boolean {
  return OF_ONE.has(systemCode(error) ?? '');
}

export interface StagingOptions {
  readonly disk: Disk;
  readonly partial: PartialFolder;
  readonly received: ReceivedFolder;
  readonly kind: 'file' | 'folder';
  /** Safe name at the top of the received folder. */
  readonly name: string;
}

export class Staging {
  readonly content: string;
  readonly #disk: Disk;
  readonly #options: StagingOptions;
  readonly #flushing: Flushing;
  /** Paths that belong there, as numbers: files that are whole, and folders. */
  #whole = new Set<number>();
  /** Something else may be there. */
  #mixed: boolean;
  /** The folder of the last file that was opened, looked at. */
  #entered: FileEntry['folder'] | undefined;
  #identity: Identity | undefined;
  #foundPath: string | undefined;

  constructor(options: StagingOptions) {
    this.#options = options;
    this.#disk = options.disk;
    this.content = options.partial.content;
    this.#flushing = new Flushing(options.disk);
    this.#mixed = options.partial.resumed;
  }

  /** Whether the staged tree may hold what is not of the list. */
  get mixed(): boolean {
    return this.#mixed;
  }

  /** Whether a staged file or folder is whole and of the list. */
  has(safe: string): boolean {
    return this.#whole.has(pathNumber(safe));
  }

  /** Files and folders that are staged. */
  get entries(): number {
    return this.#whole.size;
  }

  /** Of a single file that was staged: what must get the name. */
  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** Of a single file that was in the received folder. */
  get foundPath(): string | undefined {
    return this.#foundPath;
  }

  /** Another link: what is there may no longer be what is sent. */
  beginLink(): void {
    this.#mixed = true;
    this.leave();
    this.#options.received.lookAgain();
  }

  /** The list comes from its beginning. */
  beginAgain(): void {
    this.#whole = new Set();
    this.#identity = undefined;
    this.#foundPath = undefined;
  }

  /** A flush in the background failed: the system has then forgotten which bytes are not on the disk. */
  throwFlushError(): void {
    const failed = this.#flushing.failed;
    if (failed === undefined) return;
    unlinkIfThere(this.#disk, failed.path);
    throw new TransferFailure('write-failed', 'The receiver’s disk lost what was written to it.', { cause: failed.error });
  }

  /** Resolves when no flush is under way. */
  idle(): Promise<void> {
    return this.#flushing.idle();
  }

  /** Makes the top of a tree. @throws system errors. */
  makeTop(): void {
    this.#makeOrKeep(this.content);
  }

  /** Makes a folder of the list, its parent there. @throws system errors. */
  makeFolder(safe: string, modified: number): void {
    const path = this.path(safe);
    const above = path.slice(0, path.lastIndexOf('/'));
    this.#mustBeFolders(safe.slice(0, Math.max(0, safe.lastIndexOf('/'))));
    const before = this.#disk.lstat(above);
    this.#makeOrKeep(path);
    this.#disk.setPathTime(path, modified);
    if (before !== undefined) this.#disk.setPathTime(above, before.mtimeMs);
    this.#whole.add(pathNumber(safe));
  }

  /** What is there of a file. @param known what an earlier link found. @throws system errors. */
  *find(safe: string, file: { readonly size: number | null; readonly modified: number | null }, known: FoundFiles | undefined): Steps<FoundFiles> {
    if (known !== undefined && [known.staged, known.received].every((one) => one === undefined || isUnchanged(this.#disk, one))) return known;
    const staged = this.#mixed ? yield* this.#findStaged(safe, file.size) : undefined;
    return { staged, received: yield* this.#findReceived(safe, file) };
  }

  /** Opens the staged file for data from `offset` on: 0, or a point of what was found. @throws TransferFailure, system errors. */
  openAt(entry: FileEntry, offset: number): StagedFile {
    this.#enter(entry.folder);
    const path = this.path(entry.safe ?? '');
    return offset === 0 ? this.#create(path) : this.#continue(path, entry.found.staged, offset);
  }

  /** A whole file has come. @throws system errors. */
  finish(file: StagedFile, { safe, modified }: FileEntry): void {
    if (modified !== null) file.setTime(modified);
    if (this.#options.kind === 'file') this.#identity = file.identity;
    try {
      file.close();
    } catch (error) {
      // What was written is in doubt, and cannot be written again.
      unlinkIfThere(this.#disk, file.path);
      throw new TransferFailure('write-failed', 'The receiver’s disk lost what was written to it.', { cause: error });
    }
    this.#whole.add(pathNumber(safe ?? ''));
  }

  /** A file that was found is what is sent. @returns false where it is no longer what was found. @throws system errors. */
  take(entry: FileEntry, found: FoundFile, bytes: number): boolean {
    if (!isUnchanged(this.#disk, found)) return false;
    this.#foundPath = found.place === 'received' ? found.path : undefined;
    if (found.place === 'received') return true;
    if (found.stats.size > bytes) {
      const fd = this.#disk.open(found.path, openFlags.write);
      try {
        this.#disk.truncate(fd, bytes);
      } finally {
        this.#disk.close(fd);
      }
    }
    if (entry.modified !== null) this.#disk.setPathTime(found.path, entry.modified);
    if (this.#options.kind === 'file') this.#identity = { dev: found.stats.dev, ino: found.stats.ino };
    this.#whole.add(pathNumber(entry.safe ?? ''));
    return true;
  }

  /** Closes and removes a file of which nothing is to be kept. */
  drop(file: StagedFile): void {
    file.close();
    unlinkIfThere(this.#disk, file.path);
  }

  dropFound({ path }: FoundFile): void {
    unlinkIfThere(this.#disk, path);
  }

  /** Gives the folder its time that was written to last; due before it is published. */
  leave(): void {
    const left = this.#entered;
    this.#entered = undefined;
    if (left?.modified !== undefined && left.safe !== undefined) this.#disk.setPathTime(this.path(left.safe), left.modified);
  }

  path(safe: string): string {
    return this.#options.kind === 'file' || safe === '' ? this.content : `${this.content}/${safe}`;
  }

  #enter(folder: FileEntry['folder']): void {
    if (this.#entered === folder || this.#options.kind === 'file') return;
    this.leave();
    this.#mustBeFolders(folder.safe ?? '');
    this.#entered = folder;
  }

  #mustBeFolders(safe: string): void {
    if (this.#options.kind === 'file') return;
    for (let path = this.path(safe); path.length >= this.content.length; path = path.slice(0, path.lastIndexOf('/'))) {
      if (this.#disk.lstat(path)?.isDirectory() !== true) throw new TransferFailure('write-failed', 'The receiver’s folder was exchanged or removed meanwhile.');
    }
  }

  #makeOrKeep(path: string): void {
    const found = this.#disk.lstat(path);
    if (found?.isDirectory() === true) return;
    if (found !== undefined) this.#disk.unlink(path);
    this.#disk.mkdir(path);
  }

  #create(path: string): StagedFile {
    if (this.#mixed) inOneGo(removeTree(this.#disk, path));
    const fd = this.#disk.open(path, openFlags.create, FILE_MODE);
    return new StagedFile(this.#disk, path, fd, { hasher: new Blake3Hasher(), position: 0, flushing: this.#flushing });
  }

  #continue(path: string, found: FoundFile | undefined, position: number): StagedFile {
    const fd = this.#disk.open(path, openFlags.write);
    try {
      const now = this.#disk.fstat(fd);
      if (found === undefined || !isSame(now, found.stats) || now.size < position) throw new TransferFailure('write-failed', 'The receiver’s file was changed meanwhile.');
      if (now.size > position) this.#disk.truncate(fd, position);
      const isLast = found.points.at(-1)?.bytes === position;
      // Only after a power cut or a change of the source: not worth cutting into steps.
      const hasher = isLast ? found.hasher : inOneGo(hashPrefix(this.#disk, fd, position));
      if (hasher === undefined) throw new TransferFailure('write-failed', 'The receiver’s file was changed meanwhile.');
      return new StagedFile(this.#disk, path, fd, { hasher, position, flushing: this.#flushing });
    } catch (error) {
      this.#disk.close(fd);
      throw error;
    }
  }

  *#findStaged(safe: string, size: number | null): Steps<FoundFile | undefined> {
    const path = this.path(safe);
    const there = this.#disk.lstat(path);
    if (there === undefined || there.size === 0) return undefined;
    if (!there.isFile()) {
      yield* removeTree(this.#disk, path);
      return undefined;
    }
    // It has its final name as well: the program ended between the two steps of that. It may be taken as it is, not written to.
    const named = there.nlink > 1;
    if (named && there.size !== size) {
      this.#disk.unlink(path);
      return undefined;
    }
    return yield* findFile(this.#disk, path, 'staged', (bytes) => (named ? [bytes] : pointLengths(Math.min(bytes, size ?? bytes))));
  }

  /** What cannot be read there is not compared. */
  *#findReceived(safe: string, { size, modified }: { readonly size: number | null; readonly modified: number | null }): Steps<FoundFile | undefined> {
    if (size === null) return undefined;
    const { kind, name, received } = this.#options;
    const path = kind === 'file' ? name : `${name}/${safe}`;
    const slash = path.lastIndexOf('/');
    try {
      const folder = received.folderAt(slash < 0 ? '' : path.slice(0, slash));
      if (folder === undefined) return undefined;
      const candidate = received.candidate(folder, path.slice(slash + 1), size, modified);
      if (candidate === undefined) return undefined;
      const found = yield* findFile(this.#disk, candidate.path, 'received', () => [size]);
      return found?.points.length === 1 ? found : undefined;
    } catch (error) {
      writeFailure(error);
      return undefined;
    }
  }
}
