/**
 * The list of entries of a folder as it goes over the wire, made piece by piece from a walk (PROTOCOL.md 7.5.1), and the
 * hash by which both sides recognise its beginning (7.5.5).
 *
 * Owns one pass over the folder. What becomes of the entries is source-reader.ts.
 */
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { transferLimits } from '../../protocol/limits.js';
import type { Entry } from '../../protocol/peer-messages.js';
import type { SourceFs } from './source-fs.js';
import { walkFolder, type OnSkip, type Walked, type WalkedFile, type WalkedFolder } from './folder-walk.js';

/** Entries of one message, bytes of JSON: below `frameLimits.controlBytes` with everything around them. */
const JSON_BYTES = 48 * 1024;

/** One piece of work on a walk, milliseconds: what another transfer may have to wait for. */
const SLICE_MS = 4;

export type WalkedEntry = WalkedFile | WalkedFolder;

/** `walked[i]` is what `entries[i]` tells. Without entries and not `last`: nothing was found yet. */
export interface ListPart {
  readonly first: number;
  readonly entries: readonly Entry[];
  readonly walked: readonly WalkedEntry[];
  readonly last: boolean;
}

/** One walk. Its methods throw a system error where the folder itself cannot be read, and work for about {@link SLICE_MS}. */
export class EntryList {
  readonly #walk: Generator<Walked, void>;
  readonly #now: () => number;
  #at = 0;
  /** Found, and not yet given out. */
  #held: { readonly entry: Entry; readonly walked: WalkedEntry } | undefined;
  #done = false;

  constructor(root: string, fs: SourceFs, onSkip: OnSkip, now: () => number) {
    this.#walk = walkFolder(root, fs, onSkip);
    this.#now = now;
  }

  /** Entries given out or passed over. */
  get at(): number {
    return this.#at;
  }

  get done(): boolean {
    return this.#done;
  }

  /** The next entries, as many as one message holds. */
  next(): ListPart {
    const [entries, walked]: [Entry[], WalkedEntry[]] = [[], []];
    const [first, until] = [this.#at, this.#now() + SLICE_MS];
    let bytes = 0;
    while (entries.length < transferLimits.entriesPerMessage && this.#find()) {
      if (this.#held !== undefined) {
        bytes += Buffer.byteLength(JSON.stringify(this.#held.entry)) + 1;
        if (bytes > JSON_BYTES) break;
        entries.push(this.#held.entry);
        walked.push(this.#held.walked);
        this.#held = undefined;
        this.#at += 1;
      }
      if (this.#now() > until) break;
    }
    return { first, entries, walked, last: this.#done };
  }

  /** Gives the next entries to `take` instead, at most to entry `end`. @returns whether it was reached, or the list has ended. */
  pass(end: number, take: (entry: Entry, walked: WalkedEntry) => void): boolean {
    const until = this.#now() + SLICE_MS;
    while (this.#at < end && this.#find()) {
      if (this.#held !== undefined) {
        take(this.#held.entry, this.#held.walked);
        this.#held = undefined;
        this.#at += 1;
      }
      if (this.#now() > until) break;
    }
    return this.#done || this.#at >= end;
  }

  close(): void {
    this.#walk.return();
  }

  /** Goes one step on, unless something is held. @returns false at the end. */
  #find(): boolean {
    if (this.#held !== undefined) return true;
    const step = this.#walk.next();
    if (step.done === true) {
      this.#done = true;
      return false;
    }
    if (step.value.kind !== 'pause') this.#held = { entry: entryOf(step.value), walked: step.value };
    return true;
  }
}

function entryOf(walked: WalkedEntry): Entry {
  const modified = wholeMs(walked.mtimeMs);
  return walked.kind === 'file' ? { name: walked.name, size: walked.size, modified } : { folder: [...walked.names], modified };
}

/** A time as the wire carries it; one that no date can hold is taken for the beginning. */
export function wholeMs(mtimeMs: number): number {
  const whole = Math.floor(mtimeMs);
  return Math.abs(whole) <= 8.64e15 ? whole : 0;
}

/** The running hash over the beginning of a list. */
export class SettledHash {
  readonly #hasher = new Blake3Hasher();

  add(entry: Entry): void {
    this.#hasher.update('folder' in entry ? `d\0${entry.folder.join('/')}\0` : `f\0${entry.name}\0${entry.size}\0${entry.modified}\0`);
  }

  /** Of everything added so far; more may follow. */
  digest(): string {
    return this.#hasher.digest('hex');
  }
}
