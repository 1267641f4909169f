/**
 * The receiver's half of a transfer at its disk: which entries come in which order, what is there of them, and what is written
 * (PROTOCOL.md 7.5.1, 7.5.2, 7.5.5).
 *
 * Owns the order and the hashes. It runs in the thread of store-worker.ts and is synchronous; steps.ts cuts what takes long.
 * Names are chosen by entry-names.ts, staged files laid out by staging.ts, final places given by publisher.ts.
 */
import { EntryStatus } from '../../protocol/frames.js';
import { transferLimits } from '../../protocol/limits.js';
import type { Entry } from '../../protocol/peer-messages.js';
import { readRecord, type BlockRecord } from './block-filler.js';
import { badListing, EntryNames, joined, type EntryFolder } from './entry-names.js';
import { EntryQueue, type EntryCounts, type FileEntry } from './entry-queue.js';
import { isFull, TransferFailure, writeFailure } from '../failure.js';
import { EMPTY_BLAKE3, pointsOf, type FoundFile, type FoundFiles } from './found-file.js';
import { PlanParts } from './plan-parts.js';
import type { Listing, Plan } from '../source/source.js';
import type { StagedFile } from './staged-file.js';
import { refusesOne, type Staging } from './staging.js';
import type { Steps } from './steps.js';
import type { Wanted, Written } from './store.js';

export interface IncomingTreeOptions {
  readonly wanted: Wanted;
  readonly staging: Staging;
  readonly foldsCase: boolean;
  onNote(path: string, note: string): void;
}

/** The file whose data is coming. */
interface OpenEntry {
  readonly entry: FileEntry;
  /** Undefined where it could not be made: its data is dropped. */
  readonly file: StagedFile | undefined;
  position: number;
}

/** Notes that are remembered, so that they are not told again on another link. */
const KEPT_NOTES = 1024;

export class IncomingTree {
  readonly #options: IncomingTreeOptions;
  readonly #staging: Staging;
  readonly #top: EntryFolder;
  readonly #queue: EntryQueue;
  #names: EntryNames;
  /** That of the files that are listed next. */
  #folder: EntryFolder;
  #lists: 'anew' | 'on' | 'ended' = 'anew';
  #parts: PlanParts | undefined;
  /** What earlier links found and nothing has come of yet, by safe path. */
  #known = new Map<string, FoundFiles>();
  #open: OpenEntry | undefined;
  /** Where the next record begins, and how many of its file bytes are written: a full disk stops in the middle of a block. */
  #cursor = 0;
  #inRecord = 0;
  #bytes = 0;
  #had = 0;
  readonly #told = new Set<string>();
  #blake3: string | undefined;

  constructor(options: IncomingTreeOptions) {
    this.#options = options;
    this.#staging = options.staging;
    this.#top = { raw: '', safe: '', modified: options.wanted.modified ?? undefined };
    this.#queue = new EntryQueue(this.#top);
    this.#names = new EntryNames(options.foldsCase);
    this.#folder = this.#top;
  }

  /** See `Incoming.settled`. */
  get settled(): { readonly entries: number; readonly blake3: string } | undefined {
    if (this.#options.wanted.kind === 'file' || this.#queue.ended === 0) return undefined;
    return { entries: this.#queue.ended, blake3: this.#queue.blake3 };
  }

  /** All entries below this number have ended. */
  get ended(): number {
    return this.#queue.ended;
  }

  get counts(): Readonly<EntryCounts> {
    return this.#queue.counts;
  }

  /** Bytes of file that did not come because they were there. */
  get had(): number {
    return this.#had;
  }

  /** Of a single file, once it has ended. */
  get blake3(): string | undefined {
    return this.#blake3;
  }

  /** Whether every entry of the whole list has ended. */
  get complete(): boolean {
    return this.#lists === 'ended' && this.#parts === undefined && this.#queue.awaited === undefined;
  }

  /** See `Incoming.start`. */
  start(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open?.file !== undefined) {
      if (open.entry.safe !== undefined) this.#known.set(open.entry.safe, { staged: open.file.found() });
      open.file.close();
    }
    for (const entry of this.#queue.takeBack()) {
      if (entry.kind === 'folder') this.#names.forget(entry.folder.safe, entry.names);
      else {
        this.#names.forget(entry.safe);
        if (entry.safe !== undefined && entry !== open?.entry) this.#known.set(entry.safe, entry.found);
      }
    }
    this.#lists = 'anew';
    this.#parts = undefined;
    this.#folder = this.#queue.folder;
    this.#cursor = this.#inRecord = this.#bytes = 0;
    this.#had = this.#queue.counts.bytes;
  }

  /** See `Incoming.plan`. */
  *plan(listing: Listing): Steps<readonly Plan[]> {
    const parts = (this.#parts ??= this.#begin(listing));
    if (parts.first !== listing.first) throw badListing('entries in the wrong order');
    for (;;) {
      const entry = listing.entries[parts.next - listing.first];
      if (entry === undefined) break;
      if ('folder' in entry) this.#planFolder(entry, parts);
      else yield* this.#planFile(entry, parts);
    }
    this.#parts = undefined;
    if (listing.last) this.#lists = 'ended';
    return parts.plans();
  }

  /** See `Incoming.write`. */
  write(block: Buffer, bytes: number): Written {
    this.#staging.throwFlushError();
    let full = false;
    try {
      while (this.#cursor < bytes) {
        const record = readRecord(block, this.#cursor);
        if (record.kind === 'data') this.#data(block, record);
        else this.#end(record);
        this.#cursor = record.next;
        this.#inRecord = 0;
      }
      this.#cursor = 0;
    } catch (error) {
      if (!isFull(error)) throw writeFailure(error);
      full = true;
    }
    return { bytes: this.#bytes, had: this.#had, ended: this.#queue.ended, full };
  }

  /** Lets go of what is open. Idempotent. */
  close(): void {
    this.#open?.file?.close();
    this.#open = undefined;
    this.#known.clear();
  }

  #begin({ first, entries }: Listing): PlanParts {
    const { kind } = this.#options.wanted;
    if (this.#lists === 'anew' && first === 0) this.#beginAgain();
    if (this.#lists === 'ended' || first !== this.#queue.listed) throw badListing('entries in the wrong order');
    if (first + entries.length > transferLimits.folderEntries) throw badListing('too many entries');
    if (!this.#queue.hasRoomFor(entries.length)) throw badListing('too much before it has sent it');
    if (kind === 'file' && (entries.length !== 1 || entries.some((one) => 'folder' in one))) throw badListing('more than the file');
    this.#lists = 'on';
    return new PlanParts(first);
  }

  /** The list comes from its beginning, although entries may have ended on an earlier link. */
  #beginAgain(): void {
    if (this.#queue.ended > 0) {
      this.#queue.reset();
      this.#names = new EntryNames(this.#options.foldsCase);
      this.#staging.beginAgain();
    }
    this.#folder = this.#top;
    this.#had = 0;
  }

  #planFolder({ folder: names, modified }: Extract<Entry, { folder: unknown }>, parts: PlanParts): void {
    const { safe, note } = this.#names.folder(names);
    const raw = names.join('/');
    let made = safe;
    try {
      if (safe !== undefined) this.#staging.makeFolder(safe, modified);
    } catch (error) {
      this.#names.forget(safe, names);
      if (!refusesOne(error)) throw writeFailure(error);
      this.#names.refuse(names);
      made = undefined;
    }
    if (note !== undefined) this.#note(safe ?? raw, note);
    else if (made === undefined && safe !== undefined) this.#note(safe, 'cannot be stored here');
    this.#folder = { raw, safe: made, modified };
    if (made === undefined) parts.skip();
    else parts.take();
    this.#queue.add({ kind: 'folder', folder: this.#folder, names });
  }

  *#planFile({ name, size: listed, modified }: Extract<Entry, { name: unknown }>, parts: PlanParts): Steps<void> {
    const { wanted } = this.#options;
    const folder = this.#folder;
    const single = wanted.kind === 'file';
    const { safe, note } = single ? { safe: wanted.name } : this.#names.file(folder, name);
    const size = single ? wanted.size : listed;
    let found: FoundFiles = {};
    try {
      if (safe !== undefined) found = yield* this.#staging.find(safe, { size, modified: single ? wanted.modified : modified }, this.#known.get(safe));
    } catch (error) {
      if (!single) this.#names.forget(safe);
      throw writeFailure(error);
    }
    if (note !== undefined) this.#note(safe ?? joined(folder.raw, name), note);
    const points = pointsOf(found);
    const number = parts.next;
    if (safe === undefined) parts.skip();
    else if (points.length > 0) parts.have(points);
    else parts.take();
    const outcome = safe === undefined ? 'refused' : 'awaited';
    const time = single ? wanted.modified : modified;
    this.#queue.add({ kind: 'file', number, folder, name, safe, size, modified: time, found, outcome, bytes: 0 });
  }

  /** The file that a record belongs to: only the first that has not ended. */
  #awaited(entry: number): FileEntry {
    const awaited = this.#queue.awaited;
    if (awaited?.number !== entry) throw new TransferFailure('out-of-order', 'The sender sent files in another order than it listed them.');
    return awaited;
  }

  #data(block: Buffer, { entry: number, offset, from, to }: Extract<BlockRecord, { kind: 'data' }>): void {
    const entry = this.#awaited(number);
    const open = (this.#open ??= this.#openAt(entry, offset));
    if (offset + this.#inRecord !== open.position) throw new TransferFailure('out-of-order', 'The sender left out a part of a file.');
    if (offset + to - from > (entry.size ?? transferLimits.fileBytes)) throw tooMuch();
    while (from + this.#inRecord < to) {
      const at = from + this.#inRecord;
      const count = open.file === undefined ? to - at : open.file.write(block.subarray(at, to));
      if (count === 0) throw new TransferFailure('disk-full', 'The receiver’s disk takes no more.');
      this.#inRecord += count;
      this.#bytes += count;
      open.position += count;
    }
  }

  #openAt(entry: FileEntry, offset: number): OpenEntry {
    const { wanted } = this.#options;
    if (offset > 0 && entry.found.staged?.points.some((point) => point.bytes === offset) !== true) {
      throw new TransferFailure('out-of-order', 'The sender began a file where it was not asked to.');
    }
    let file: StagedFile | undefined;
    try {
      file = this.#staging.openAt(entry, offset);
    } catch (error) {
      if (wanted.kind === 'file' || !refusesOne(error)) throw error;
      this.#note(entry.safe ?? entry.name, 'cannot be stored here');
    }
    entry.found = {};
    this.#had += offset;
    return { entry, file, position: offset };
  }

  #end({ entry: number, status, blake3 }: Extract<BlockRecord, { kind: 'end' }>): void {
    const entry = this.#awaited(number);
    if (status === EntryStatus.unreadable) this.#drop(entry);
    else if (this.#open === undefined) this.#endWithoutData(entry, blake3);
    else this.#endOfData(entry, this.#open, blake3);
    if (this.#options.wanted.kind === 'file') this.#blake3 = blake3;
    this.#open = undefined;
    this.#queue.advance();
  }

  #endOfData(entry: FileEntry, { file, position }: OpenEntry, blake3: string): void {
    if (entry.size !== null && position < entry.size) throw new TransferFailure('size-mismatch', 'The sender sent less than it had offered.');
    entry.bytes = position;
    if (file === undefined) {
      entry.outcome = 'refused';
      return;
    }
    if (file.blake3 !== blake3) {
      this.#open = undefined;
      this.#staging.drop(file);
      throw mismatch();
    }
    this.#staging.finish(file, entry);
    entry.outcome = 'stored';
  }

  /** All of it is there, or it is empty. */
  #endWithoutData(entry: FileEntry, blake3: string): void {
    const { found, size } = entry;
    const isIt = (one: FoundFile | undefined) => one?.points.find((point) => point.blake3 === blake3 && (size === null || point.bytes === size));
    const [there, staged] = [isIt(found.received), isIt(found.staged)];
    if (found.received !== undefined && there !== undefined) this.#takeFound(entry, found.received, there.bytes);
    else if (found.staged !== undefined && staged !== undefined) this.#takeFound(entry, found.staged, staged.bytes);
    else if (blake3 === EMPTY_BLAKE3 && (size === 0 || size === null)) {
      this.#open = this.#openAt(entry, 0);
      this.#endOfData(entry, this.#open, blake3);
    } else if (size === 0) throw mismatch();
    else throw new TransferFailure('size-mismatch', 'The sender sent less than it had offered.');
  }

  #takeFound(entry: FileEntry, found: FoundFile, bytes: number): void {
    if (!this.#staging.take(entry, found, bytes)) {
      // It was there when the list was answered; now it is too late to ask for it.
      if (this.#options.wanted.kind === 'file') throw new TransferFailure('write-failed', 'The receiver’s file was changed meanwhile.');
      this.#note(entry.safe ?? entry.name, 'was changed meanwhile by the receiver');
      entry.outcome = 'refused';
      return;
    }
    entry.outcome = found.place === 'received' ? 'same' : 'stored';
    entry.bytes = bytes;
    this.#had += bytes;
  }

  #drop(entry: FileEntry): void {
    if (this.#options.wanted.kind === 'file') throw new TransferFailure('read-failed', 'The sender cannot read the file any more.');
    if (this.#open?.file !== undefined) this.#staging.drop(this.#open.file);
    else if (entry.found.staged !== undefined) this.#staging.dropFound(entry.found.staged);
    entry.outcome = 'refused';
    this.#note(entry.safe ?? entry.name, 'could not be read by the sender');
  }

  #note(path: string, note: string): void {
    if (this.#told.has(path)) return;
    if (this.#told.size < KEPT_NOTES) this.#told.add(path);
    this.#options.onNote(path, note);
  }
}

function tooMuch(): TransferFailure {
  return new TransferFailure('size-mismatch', 'The sender sent more than it had offered.');
}

function mismatch(): TransferFailure {
  return new TransferFailure('hash-mismatch', 'The received file is not what the sender read: its hash is another.');
}
