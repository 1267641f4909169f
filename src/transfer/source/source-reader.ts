/**
 * A file or folder on the sender's disk: looked at, counted, listed for a receiver, and read (PROTOCOL.md 7.5).
 *
 * Owns the walks over a folder; reading what was planned is planned-entries.ts. Every method is synchronous and one bounded
 * piece of work: source-worker.ts runs them in a thread, in which many sources take turns. A waiting offer has no file open.
 */
import { basename, resolve } from 'node:path';
import { P2pError, systemCode } from '../../protocol/errors.js';
import { transferLimits } from '../../protocol/limits.js';
import { EntryList, SettledHash, wholeMs, type ListPart } from './entry-list.js';
import { readFailure } from '../failure.js';
import { changed, PlannedEntries } from './planned-entries.js';
import type { Listing, Plan, SourceBatch, SourceFacts } from './source.js';
import type { SourceFs } from './source-fs.js';
import { offeredName, type OnSkip, type WalkedFile } from './folder-walk.js';

export interface SourceReaderOptions {
  /** As the person named it, absolute or relative to the working folder; may be a symbolic link. */
  readonly path: string;
  readonly fs: SourceFs;
  /** Called once for each path. */
  readonly onSkip: OnSkip;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** What {@link Source.start} is told of the beginning of the list. */
export type Settled = { readonly entries: number; readonly blake3: string };

/** What was found at the path that was named. */
type Found =
  | { readonly kind: 'folder'; readonly root: string; readonly entries: PlannedEntries }
  | { readonly kind: 'file'; readonly file: WalkedFile; readonly entries: PlannedEntries };

export class SourceReader {
  readonly #options: SourceReaderOptions;
  #found: Found | undefined;
  #facts: SourceFacts | undefined;
  /** Paths that were told to be left out: each walk finds them again. */
  readonly #told = new Set<string>();
  #counting: EntryList | undefined;
  #surveying: EntryList | undefined;
  #listing: EntryList | undefined;
  #settling: { readonly settled: Settled; readonly hash: SettledHash; bytes: number } | undefined;

  constructor(options: SourceReaderOptions) {
    this.#options = options;
  }

  /** Looks at what is offered, and opens it once to see that it can be read. @throws P2pError `no-such-file`, `not-a-file`, `read-failed`. */
  open(): SourceFacts {
    try {
      return this.#look();
    } catch (cause) {
      throw openFailure(this.#options.path, cause);
    }
  }

  /** Counts on, as long as the result is not `counted`. @throws TransferFailure `read-failed`. */
  count(): SourceFacts {
    const facts = this.#knownFacts;
    const found = this.#known;
    if (found.kind === 'file' || facts.counted) return facts;
    const list = (this.#counting ??= this.#walk(found.root));
    let [size, files] = [facts.size ?? 0, facts.files];
    const counted = guarded(() =>
      list.pass(Infinity, (entry) => {
        if ('folder' in entry) return;
        size += entry.size;
        files += 1;
      }),
    );
    return (this.#facts = { ...facts, size, files, counted });
  }

  /** As {@link Source.survey}; where nothing is listed and it is not the last, it is to be called again. */
  survey(first: number): Listing {
    const found = this.#known;
    if (found.kind === 'file') {
      const { name, size, mtimeMs } = found.file;
      return { first, entries: first === 0 ? [{ name, size, modified: wholeMs(mtimeMs) }] : [], last: true };
    }
    return guarded(() => {
      if (this.#surveying === undefined || this.#surveying.at > first) {
        this.#surveying?.close();
        this.#surveying = this.#walk(found.root);
      }
      const list = this.#surveying;
      if (list.at < first && !list.pass(first, () => undefined)) return { first, entries: [], last: false };
      const { entries, last } = list.next();
      return { first, entries, last };
    });
  }

  /** Forgets the last link. @returns whether that is all: otherwise {@link settle} is due. @throws TransferFailure `source-changed`, `read-failed`. */
  start(settled?: Settled): boolean {
    const found = this.#known;
    found.entries.start(0, 0);
    this.#listing?.close();
    this.#settling = undefined;
    if (found.kind === 'file') {
      const { path, size, mtimeMs } = found.file;
      const now = guarded(() => this.#options.fs.stat(path));
      if (!now.isFile() || now.size !== size || now.mtimeMs !== mtimeMs) throw changed();
      found.entries.add(found.file);
      return true;
    }
    if (!guarded(() => this.#options.fs.stat(found.root)).isDirectory()) throw changed();
    this.#listing = this.#walk(found.root);
    if (settled === undefined || settled.entries === 0) return true;
    this.#settling = { settled, hash: new SettledHash(), bytes: 0 };
    return false;
  }

  /** Passes over what the receiver has settled. @returns as {@link start}. @throws TransferFailure `read-failed`. */
  settle(): boolean {
    const [found, list, settling] = [this.#known, this.#listing, this.#settling];
    if (found.kind === 'file' || list === undefined || settling === undefined) return true;
    const { settled, hash } = settling;
    const passed = guarded(() =>
      list.pass(settled.entries, (entry) => {
        hash.add(entry);
        if (!('folder' in entry)) settling.bytes += entry.size;
      }),
    );
    if (!passed) return false;
    this.#settling = undefined;
    if (list.at === settled.entries && hash.digest() === settled.blake3) {
      found.entries.start(settled.entries, settling.bytes);
    } else {
      list.close();
      this.#listing = this.#walk(found.root);
    }
    return true;
  }

  /** As {@link Source.list}; where nothing is listed and it is not the last, it is to be called again. */
  list(): Listing {
    const list = this.#listing;
    if (list === undefined) throw new Error('list of a file, or before start');
    const { first, entries, walked, last }: ListPart = guarded(() => list.next());
    for (const one of walked) this.#known.entries.add(one);
    return { first, entries, last };
  }

  /** @throws TransferFailure `out-of-order`. */
  plan(plan: Plan): void {
    this.#known.entries.plan(plan);
  }

  /** As {@link Source.read}. */
  read(block: Buffer, transfer: number, maxBytes: number): SourceBatch {
    return this.#known.entries.read(block, transfer, maxBytes);
  }

  /** Idempotent. */
  close(): void {
    this.#found?.entries.close();
    for (const list of [this.#counting, this.#surveying, this.#listing]) list?.close();
  }

  #look(): SourceFacts {
    const { fs, path, now } = this.#options;
    const stats = fs.stat(path);
    const name = offeredName(basename(resolve(path))) || 'root';
    const modified = wholeMs(stats.mtimeMs);
    const shared = { fs, now, onSkip: this.#skip };
    if (stats.isDirectory()) {
      // The link that the person may have named is followed once, here.
      const root = fs.realpath(path);
      fs.openFolder(root).closeSync();
      this.#found = { kind: 'folder', root, entries: new PlannedEntries({ ...shared, single: false, mustBeThere: () => void fs.stat(root) }) };
      this.#facts = { kind: 'folder', name, size: 0, files: 0, counted: false, modified };
    } else if (stats.isFile()) {
      fs.close(fs.openFile(path, true));
      const file: WalkedFile = { kind: 'file', path, shown: name, name, size: stats.size, mtimeMs: stats.mtimeMs };
      this.#found = { kind: 'file', file, entries: new PlannedEntries({ ...shared, single: true, mustBeThere: () => undefined }) };
      this.#facts = { kind: 'file', name, size: stats.size, files: 1, counted: true, modified };
    } else {
      throw new P2pError('not-a-file', `"${path}" is neither a file nor a folder, so it cannot be sent.`);
    }
    return this.#facts;
  }

  #walk(root: string): EntryList {
    return new EntryList(root, this.#options.fs, this.#skip, this.#options.now);
  }

  readonly #skip: OnSkip = (shown, reason) => {
    if (this.#told.has(shown) || this.#told.size >= transferLimits.rememberedSkips) return;
    this.#told.add(shown);
    this.#options.onSkip(shown, reason);
  };

  get #known(): Found {
    if (this.#found === undefined) throw new Error('a source was used before it was opened');
    return this.#found;
  }

  get #knownFacts(): SourceFacts {
    if (this.#facts === undefined) throw new Error('a source was used before it was opened');
    return this.#facts;
  }
}

/** Gives an error of the system the form that ends a transfer. */
function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw readFailure(error);
  }
}

/** Why something cannot be offered. @throws the error itself where the system did not raise it: then it is a bug. */
function openFailure(path: string, cause: unknown): P2pError {
  if (cause instanceof P2pError) return cause;
  const code = systemCode(cause);
  if (code === undefined) throw cause;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new P2pError('no-such-file', `There is no file or folder "${path}".`, { cause });
  const why = code === 'EACCES' || code === 'EPERM' ? 'permission denied' : code;
  return new P2pError('read-failed', `"${path}" cannot be read: ${why}.`, { cause });
}
