/**
 * The entries of a list that have not ended, in order, and what those that have ended add up to (PROTOCOL.md 7.5.1, 7.5.5).
 *
 * Owns numbers, counts and the hash of `settled`. What becomes of an entry is decided by incoming-tree.ts.
 */
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { END_FRAME_BYTES } from '../../protocol/frames.js';
import { transferLimits } from '../../protocol/limits.js';
import type { EntryFolder } from './entry-names.js';
import type { FoundFiles } from './found-file.js';

export interface FileEntry {
  readonly kind: 'file';
  readonly number: number;
  readonly folder: EntryFolder;
  /** As listed. */
  readonly name: string;
  /** Its path in the folder under safe names; undefined where it is not taken. */
  readonly safe: string | undefined;
  /** Bytes; null for a pipe. */
  readonly size: number | null;
  readonly modified: number | null;
  /** Until data of it has come. */
  found: FoundFiles;
  outcome: 'awaited' | 'stored' | 'same' | 'refused';
  /** Bytes that it turned out to have. */
  bytes: number;
}

export interface FolderEntry {
  readonly kind: 'folder';
  readonly folder: EntryFolder;
  /** As listed. */
  readonly names: readonly string[];
}

export type QueuedEntry = FileEntry | FolderEntry;

export interface EntryCounts {
  /** Files that are stored or were there. */
  files: number;
  bytes: number;
  same: number;
  refused: number;
}

/**
 * Entries that may be listed before they have ended here. The sender's `entriesAhead` counts from what it has sent, and as many
 * end frames as credit allows may be on their way or wait to be written.
 */
const MOST_AHEAD = transferLimits.entriesAhead + transferLimits.entriesPerMessage + Math.ceil(transferLimits.windowBytes / END_FRAME_BYTES);

/** Hashed at once. */
const TEXT_CHARS = 16 * 1024;

export class EntryQueue {
  #entries: QueuedEntry[] = [];
  #head = 0;
  #ended = 0;
  #hasher = new Blake3Hasher();
  #text = '';
  /** In which the next listed file would be if the list went on behind what has ended. */
  #folder: EntryFolder;
  readonly #top: EntryFolder;
  #counts: EntryCounts = { files: 0, bytes: 0, same: 0, refused: 0 };

  /** @param top the offered folder itself. */
  constructor(top: EntryFolder) {
    this.#top = top;
    this.#folder = top;
  }

  /** The number that the next listed entry has. */
  get listed(): number {
    return this.#ended + this.#entries.length - this.#head;
  }

  /** All below this number have ended. */
  get ended(): number {
    return this.#ended;
  }

  get counts(): Readonly<EntryCounts> {
    return this.#counts;
  }

  get folder(): EntryFolder {
    return this.#folder;
  }

  /** BLAKE3 over what has ended, as PROTOCOL.md 7.5.5 has it. */
  get blake3(): string {
    this.#hashText();
    return this.#hasher.digest('hex');
  }

  hasRoomFor(count: number): boolean {
    return this.listed - this.#ended + count <= MOST_AHEAD;
  }

  add(entry: QueuedEntry): void {
    this.#entries.push(entry);
    this.advance();
  }

  /** The file whose data or end comes next. */
  get awaited(): FileEntry | undefined {
    const head = this.#entries[this.#head];
    return head?.kind === 'file' ? head : undefined;
  }

  /** Lets go of what has ended. */
  advance(): void {
    for (;;) {
      const entry = this.#entries[this.#head];
      if (entry === undefined || (entry.kind === 'file' && entry.outcome === 'awaited')) break;
      this.#head += 1;
      this.#ended += 1;
      this.#folder = entry.folder;
      this.#count(entry);
    }
    if (this.#head < 1024 && this.#head < this.#entries.length) return;
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }

  /** Forgets what has not ended, and returns it, the last one first. */
  takeBack(): QueuedEntry[] {
    const back = this.#entries.slice(this.#head).reverse();
    this.#entries = [];
    this.#head = 0;
    return back;
  }

  /** Begins anew. */
  reset(): void {
    this.takeBack();
    this.#ended = 0;
    this.#hasher = new Blake3Hasher();
    this.#text = '';
    this.#folder = this.#top;
    this.#counts = { files: 0, bytes: 0, same: 0, refused: 0 };
  }

  #count(entry: QueuedEntry): void {
    if (entry.kind === 'folder') {
      this.#text += `d\0${entry.folder.raw}\0`;
      if (entry.folder.safe === undefined) this.#counts.refused += 1;
    } else {
      this.#text += `f\0${entry.name}\0${String(entry.size)}\0${String(entry.modified)}\0`;
      if (entry.outcome === 'refused') this.#counts.refused += 1;
      else {
        this.#counts.files += 1;
        this.#counts.bytes += entry.bytes;
        if (entry.outcome === 'same') this.#counts.same += 1;
      }
    }
    if (this.#text.length > TEXT_CHARS) this.#hashText();
  }

  #hashText(): void {
    if (this.#text !== '') this.#hasher.update(this.#text);
    this.#text = '';
  }
}
